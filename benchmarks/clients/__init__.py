"""Whether clients of other protocols get what ``POST /forecast`` says: ``make clients``."""
