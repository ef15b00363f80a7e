"""Any long job: resumable, counted, atomic."""
