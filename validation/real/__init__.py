"""Real loans laid out as tapes of a cut-off date in the past, forecast by the product and by what stands beside it."""
