def words() -> int:
    return "words"
