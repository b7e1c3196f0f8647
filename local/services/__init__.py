"""One module for each service that moto does not do whole: what it lacks is in its docstring, `install` mends it."""
