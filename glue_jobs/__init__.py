"""The Glue jobs: apply, ingest, refine and model, each a `main(argv)` over pure functions of Spark frames."""
