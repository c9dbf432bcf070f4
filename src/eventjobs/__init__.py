"""eventjobs: an event-sourced scheduling service whose every due occurrence has one recorded outcome."""
