from historian.access import secret


def test_a_token_says_whose_it_is_and_is_long() -> None:
    made = secret.make_token()
    mark, token_id, text = made.text.split("_", 2)
    assert (mark, token_id) == ("hst", made.id)
    assert len(text) == 43
    assert text not in repr(made)


def test_digests_differ_beyond_what_is_looked_at() -> None:
    assert secret.digest_of("a" * 128) != secret.digest_of("a" * 129)


def test_the_second_token_follows_from_the_session_alone() -> None:
    assert secret.csrf_of("s") == secret.csrf_of("s") != secret.csrf_of("t")
    assert secret.is_same(secret.csrf_of("s"), secret.csrf_of("s"))
    assert not secret.is_same("\udcff", secret.csrf_of("s"))
