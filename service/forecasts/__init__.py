"""``POST /forecast`` and ``POST /forecast/batch``: request, question, forecast, bytes."""
