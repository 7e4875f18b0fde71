"""D2: files of more than 5 GB by the shipped server alone; with nginx in front it is in test_nginx."""

from __future__ import annotations

from pathlib import Path

import pytest

from csp_web.config import Settings
from csp_web.domain.delivery.download_options import LARGEST_FILE
from csp_web.services.s3_files import PART
from tests.support.large import GIB, MARKS, SIZE, check_large
from tests.support.live import LiveServer
from tests.support.transfers import make_large, offer, same_installation
from tests.world import World

MOST_PARTS = 10_000  # of one upload, says S3
LARGEST_PUT = 5 * GIB  # in one request, says S3


@pytest.mark.one_database  # nothing but the bytes of a file goes out
def test_d2_a_file_of_five_gigabytes_is_sent_in_ranges_and_resumed(
    own_server: LiveServer, settings: Settings, world: World, tmp_path: Path
) -> None:
    offered = offer(world)
    make_large(offered, SIZE, MARKS)
    same_installation(own_server, settings)
    own_server.start()
    check_large(own_server.port, offered.press(own_server.port), tmp_path)
    assert offered.used() == 1


def test_d2_every_size_that_is_taken_in_fits_into_the_parts_of_an_s3_store() -> None:
    """The smallest part that S3 takes is 5 MiB, the largest 5 GiB."""
    assert 5 * 1024**2 <= PART <= LARGEST_PUT < LARGEST_FILE <= PART * MOST_PARTS
