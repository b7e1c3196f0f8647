"""What every job and function is packed with: the compiled lake, run ids, and the run ledger. Only boto3 and stdlib."""
