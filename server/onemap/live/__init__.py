"""What happens without being asked: notices from the database, the demo's moving staff."""
