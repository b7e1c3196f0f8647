"""The words that the generated names are made of, and TICKIT's eleven categories."""

FIRST_NAMES = [
    "Ada", "Amir", "Anna", "Ben", "Bruno", "Carla", "Chen", "Clara", "Dana", "David", "Elena", "Emil", "Esra",
    "Eva", "Farid", "Fatma", "Felix", "Gina", "Greta", "Hana", "Hugo", "Ida", "Igor", "Ines", "Ivan", "Jana",
    "Jonas", "Juan", "Julia", "Kai", "Karim", "Kira", "Lars", "Layla", "Lena", "Leo", "Lin", "Luca", "Maja",
    "Marco", "Maria", "Max", "Mei", "Mira", "Nadia", "Nils", "Nina", "Noah", "Nora", "Olga", "Omar", "Otto", "Paul",
    "Petra", "Pia", "Rosa", "Ruth", "Sami", "Sara", "Tara", "Theo", "Tom", "Uma", "Vera", "Viktor", "Wanda", "Yara",
    "Yusuf", "Zoe",
]  # fmt: skip
LAST_NAMES = [
    "Abbott", "Adler", "Alvarez", "Baker", "Bauer", "Becker", "Bell", "Brandt", "Carter", "Castro", "Chavez",
    "Cohen", "Cole", "Cruz", "Dalton", "Diaz", "Duran", "Ellis", "Evans", "Fischer", "Flores", "Ford", "Fox",
    "Garcia", "Gomez", "Grant", "Haas", "Hall", "Hansen", "Hart", "Hayes", "Hoffman", "Horn", "Ito", "Jensen",
    "Kaya", "Keller", "Kim", "Klein", "Kowalski", "Lang", "Larsen", "Lee", "Lopez", "Mann", "Marsh", "Meyer",
    "Mills", "Moreno", "Nash", "Novak", "Olsen", "Ortiz", "Park", "Patel", "Perez", "Pohl", "Quinn", "Ramos",
    "Reed", "Reyes", "Ross", "Santos", "Schmidt", "Silva", "Singh", "Stone", "Tanaka", "Torres", "Vega", "Vogel",
    "Wagner", "Walsh", "Weber", "Winter", "Wolf", "Wong", "Young", "Yilmaz", "Ziegler",
]  # fmt: skip
PLACES = (
    ("Albany", "NY"), ("Atlanta", "GA"), ("Austin", "TX"), ("Boise", "ID"), ("Boston", "MA"), ("Buffalo", "NY"),
    ("Charlotte", "NC"), ("Chicago", "IL"), ("Cleveland", "OH"), ("Columbus", "OH"), ("Dallas", "TX"), ("Denver", "CO"),
    ("Detroit", "MI"), ("El Paso", "TX"), ("Fargo", "ND"), ("Fresno", "CA"), ("Houston", "TX"), ("Jackson", "MS"),
    ("Lansing", "MI"), ("Las Vegas", "NV"), ("Lincoln", "NE"), ("Madison", "WI"), ("Memphis", "TN"), ("Miami", "FL"),
    ("Mobile", "AL"), ("Newark", "NJ"), ("Oakland", "CA"), ("Omaha", "NE"), ("Orlando", "FL"), ("Phoenix", "AZ"),
    ("Portland", "OR"), ("Raleigh", "NC"), ("Reno", "NV"), ("Sacramento", "CA"), ("San Diego", "CA"), ("Seattle", "WA"),
    ("Tacoma", "WA"), ("Tampa", "FL"), ("Toledo", "OH"), ("Tulsa", "OK"), ("Wichita", "KS"),
)  # fmt: skip
HOUSES = ("Arena", "Theatre", "Hall", "Stadium", "Playhouse", "Amphitheater", "Auditorium")
CATEGORIES = (
    ("Sports", "MLB", "Major League Baseball"),
    ("Sports", "NHL", "National Hockey League"),
    ("Sports", "NFL", "National Football League"),
    ("Sports", "NBA", "National Basketball Association"),
    ("Sports", "MLS", "Major League Soccer"),
    ("Shows", "Musicals", "Musical theatre"),
    ("Shows", "Plays", "All non-musical theatre"),
    ("Shows", "Opera", "All opera and light opera"),
    ("Concerts", "Pop", "All rock and pop music concerts"),
    ("Concerts", "Jazz", "All jazz singers and bands"),
    ("Concerts", "Classical", "All symphony, concerto, and choir concerts"),
)
ACTS = (
    "Amber River", "Blue Lanterns", "Cedar Choir", "Copper Foxes", "Distant Bells", "Evening Tides", "Granite Saints",
    "Hollow Pines", "Iron Orchard", "Jade Parade", "Kestrel Quartet", "Late Trains", "Maple Union", "Night Harbor",
    "Opal Strings", "Paper Kites", "Quiet Thunder", "Red Meridian", "Silver Anchors", "Tin Soldiers", "Velvet Compass",
    "Wandering Oaks", "Yellow Bicycle", "Zephyr Band",
)  # fmt: skip
