"""What Headrace works together with. Each module needs an extra of the same name: `pip install 'headrace[dask]'`."""
