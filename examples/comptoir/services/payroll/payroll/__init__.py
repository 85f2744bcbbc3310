"""The payroll of the example product."""
