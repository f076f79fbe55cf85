import pytest

from tests.lambda_processor.deliveries import SOURCE
from tests.lambda_processor.fakes import Aws, encoded, photo


@pytest.fixture
def aws():
    """Both clients, with one photo in the source bucket: cat.jpg, version v1."""
    aws = Aws()
    aws.objects[SOURCE, "cat.jpg", "v1"] = (encoded(photo()), "image/jpeg")
    return aws
