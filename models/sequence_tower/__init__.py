"""The linear map of `SequenceLinear` beside a tower of features and ids, blended on validation."""
