"""What every part of mmpar may use and that knows none: files, arguments, processes."""
