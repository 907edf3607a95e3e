"""The review app: started by the EHR (SMART on FHIR), it shows one patient's estimates, reasons and sources."""
