"""``python -m mmpar`` is the command ``mmpar``."""

from mmpar.cli import main

if __name__ == "__main__":
    main()
