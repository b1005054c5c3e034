"""Linear models of named regressors, and those that can be written as one."""
