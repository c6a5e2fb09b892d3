"""A node that changes an answer: its blocks no longer hold together, or contradict its state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from audited_world import World, found
from lying_line import LyingLine, Noise, NoisyLine, lying
from market_life import ALPHA, BRAVO

from settle.audit import published
from settle.audit.findings import Code
from settle.audit.rpc import NodeLine
from settle.audit.wire import NodeError
from settle.chain.abi import load_abi
from settle.domain.errors import InvalidInput

BLOCK, RECEIPTS, LOGS, CALL = (
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getLogs",
    "eth_call",
)
Lie = Callable[[Any], Any]
POSTED = "0x" + next(
    topic.hex()
    for topic, event in published.load()["Settlement"].events.items()
    if event.name == "Posted"
)


@pytest.fixture
def world(anvil: World) -> World:
    """One engine is enough: the checks do not know which it is."""
    return anvil


def place_of(world: World) -> tuple[int, bytes]:
    """Block and transaction of the first instruction that settled by itself."""
    hash_ = world.life.settled[0].transaction
    receipt = world.life.market.node.receipts([hash_])[0]
    assert receipt is not None
    return receipt.block_number, hash_


def at(world: World, change: Lie) -> Callable[[Sequence[Any], Any], Any]:
    """Change the answer about the block of that instruction only."""
    number = hex(place_of(world)[0])

    def lie(params: Sequence[Any], answer: Any) -> Any:
        if params[0] == number:
            change(answer)
        return answer

    return lie


def posted(receipts: Any) -> Any:
    return next(log for one in receipts for log in one["logs"] if log["topics"][0] == POSTED)


def raised(text: str, by: int = 1) -> str:
    return f"0x{int(text, 16) + by:0{len(text) - 2}x}"


# ---------------------------------------------------------------------------- blocks


def more(receipts: Any) -> None:
    """One unit more is delivered than was signed for."""
    log = posted(receipts)
    words = [log["data"][2:][i : i + 64] for i in range(0, len(log["data"]) - 2, 64)]
    words[2] = f"{int(words[2], 16) + 1:064x}"
    log["data"] = "0x" + "".join(words)


def test_an_altered_amount_in_an_event_is_found(world: World) -> None:
    block, transaction = place_of(world)
    report = world.audit(lying(RECEIPTS, at(world, more)))
    found(report, Code.RECEIPTS_ROOT, block=block)
    terms = world.life.settled[0].terms
    differs = found(report, Code.EVENT_DIFFERS, block=block, transaction=transaction)
    assert (differs.stated, differs.computed) == (
        terms.legs[0].quantity + 1,
        terms.legs[0].quantity,
    )
    result = found(report, Code.RESULT, block=block, account=ALPHA, asset=terms.legs[0].asset)
    assert result.stated != result.computed
    found(report, Code.LOGS, block=block, transaction=transaction)


def test_a_dropped_event_is_found(world: World) -> None:
    block, transaction = place_of(world)

    def drop(receipts: Any) -> None:
        receipts[0]["logs"] = [log for log in receipts[0]["logs"] if log["topics"][0] != POSTED]

    report = world.audit(lying(RECEIPTS, at(world, drop)))
    found(report, Code.RECEIPTS_ROOT, block=block)
    found(report, Code.BLOOM, block=block)
    found(
        *(report, Code.EVENT_DIFFERS),
        block=block,
        transaction=transaction,
        instruction=world.life.identity(world.life.settled[0].terms),
    )


def test_a_swapped_emitter_is_found(world: World) -> None:
    block, transaction = place_of(world)

    def swap(receipts: Any) -> None:
        posted(receipts)["address"] = "0x" + "77" * 20

    report = world.audit(lying(RECEIPTS, at(world, swap)))
    found(report, Code.RECEIPTS_ROOT, block=block)
    found(report, Code.EVENT_DIFFERS, block=block, transaction=transaction)


def test_a_forged_signature_in_calldata_is_found(world: World) -> None:
    block, transaction = place_of(world)
    settled = world.life.settled[0]
    signature = settled.signatures[0].hex()

    def forge(answer: Any) -> None:
        told = answer["transactions"][0]
        told["input"] = told["input"].replace(
            signature, f"{int(signature[:8], 16) ^ 1:08x}" + signature[8:]
        )

    report = world.audit(lying(BLOCK, at(world, forge)))
    found(report, Code.TRANSACTIONS_ROOT, block=block)
    found(report, Code.TRANSACTION_HASH, block=block, transaction=transaction)
    identity = world.life.identity(settled.terms)
    found(report, Code.SIGNATURE, block=block, account=ALPHA, instruction=identity)


@pytest.mark.parametrize(
    ("member", "codes"),
    [
        ("hash", (Code.BLOCK_HASH, Code.PARENT_HASH)),
        ("parentHash", (Code.BLOCK_HASH, Code.PARENT_HASH)),
        ("stateRoot", (Code.BLOCK_HASH,)),
        ("transactionsRoot", (Code.BLOCK_HASH, Code.TRANSACTIONS_ROOT)),
        ("receiptsRoot", (Code.BLOCK_HASH, Code.RECEIPTS_ROOT)),
        ("logsBloom", (Code.BLOCK_HASH, Code.BLOOM)),
        ("timestamp", (Code.BLOCK_HASH,)),
        ("number", (Code.BLOCK_HASH, Code.BLOCK_NUMBER)),
        ("gasUsed", (Code.BLOCK_HASH,)),
        ("mixHash", (Code.BLOCK_HASH,)),
    ],
)
def test_an_altered_header_is_found(world: World, member: str, codes: tuple[Code, ...]) -> None:
    block, _ = place_of(world)

    def alter(answer: Any) -> None:
        answer[member] = raised(answer[member])

    report = world.audit(lying(BLOCK, at(world, alter)))
    for code in codes:
        # The child notices that its parent's hash is another.
        where = block + 1 if (member, code) == ("hash", Code.PARENT_HASH) else block
        found(report, code, block=where)


def test_a_block_that_goes_back_in_time_is_found(world: World) -> None:
    block, _ = place_of(world)
    report = world.audit(lying(BLOCK, at(world, lambda answer: answer.update(timestamp="0x1"))))
    found(report, Code.BLOCK_TIME, block=block)
    found(report, Code.WINDOW, block=block)


def test_a_hidden_transaction_is_found(world: World) -> None:
    block, transaction = place_of(world)
    terms = world.life.settled[0].terms

    def hide(line: NodeLine) -> NodeLine:
        without = LyingLine(line, BLOCK, at(world, lambda a: a["transactions"].clear()))
        return LyingLine(without, RECEIPTS, at(world, lambda a: a.clear()))

    report = world.audit(hide)
    found(report, Code.TRANSACTIONS_ROOT, block=block)
    found(report, Code.RECEIPTS_ROOT, block=block)
    found(report, Code.LOGS, block=block)
    found(report, Code.NONCE_WORD, account=terms.initiator)
    assert transaction not in {finding.transaction for finding in report.findings}


def test_a_doubled_transaction_is_found(world: World) -> None:
    block, _ = place_of(world)

    def double(line: NodeLine) -> NodeLine:
        more_sent = lambda a: a["transactions"].append(a["transactions"][0])  # noqa: E731
        twice = LyingLine(line, BLOCK, at(world, more_sent))
        return LyingLine(twice, RECEIPTS, at(world, lambda a: a.append(a[0])))

    report = world.audit(double)
    found(report, Code.TRANSACTIONS_ROOT, block=block)
    found(report, Code.RECEIPT_PLACE, block=block)
    found(report, Code.NONCE, block=block, account=ALPHA)


def test_a_failed_transaction_told_as_a_success_is_found(world: World) -> None:
    block, _ = place_of(world)
    report = world.audit(lying(RECEIPTS, at(world, lambda a: a[0].update(status="0x0"))))
    found(report, Code.RECEIPTS_ROOT, block=block)


@pytest.mark.parametrize("member", ["transactionHash", "transactionIndex", "blockNumber"])
def test_a_receipt_of_another_place_is_found(world: World, member: str) -> None:
    block, _ = place_of(world)

    def move(receipts: Any) -> None:
        receipts[0][member] = raised(receipts[0][member])

    report = world.audit(lying(RECEIPTS, at(world, move)))
    found(report, Code.RECEIPT_PLACE, block=block)


def test_a_wrong_log_index_is_found(world: World) -> None:
    block, transaction = place_of(world)

    def move(receipts: Any) -> None:
        posted(receipts)["logIndex"] = "0x63"

    report = world.audit(lying(RECEIPTS, at(world, move)))
    found(report, Code.RECEIPT_PLACE, block=block, transaction=transaction)


def test_a_missing_block_ends_the_audit_with_a_finding(world: World) -> None:
    block, _ = place_of(world)

    def lose(params: Sequence[Any], answer: Any) -> Any:
        return None if params[0] == hex(block) else answer

    report = world.audit(lying(BLOCK, lose))
    found(report, Code.BLOCK_MISSING, block=block)
    assert report.last_block == block - 1


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda a: a.pop("parentHash"),
        lambda a: a.update(transactions="none"),
        lambda a: a.update(timestamp=17),
        lambda a: a.update(hash="0x12"),
        lambda a: a["transactions"][0].update(r=None),
        lambda a: a["transactions"][0].update(input="0xzz"),
    ],
)
def test_nonsense_is_a_finding_and_no_accident(world: World, nonsense: Lie) -> None:
    block, _ = place_of(world)
    report = world.audit(lying(BLOCK, at(world, nonsense)))
    assert report.verdict == "findings"
    assert block in {finding.block for finding in report.findings}


@pytest.mark.parametrize("seed", range(40))
def test_noise_anywhere_is_no_accident(world: World, seed: int) -> None:
    """One part of one answer becomes something else: the audit ends with a report all the same."""
    noise = Noise(seed)
    try:
        report = world.audit(lambda line: NoisyLine(line, noise))
    except InvalidInput as error:
        assert error.code == "rpc_url"  # noqa: PT017  the newest block cannot be told
        return
    assert noise.made, "no noise was made"
    assert report.last_block <= world.life.market.node.head().number


# ---------------------------------------------------------------------------- log query


def test_a_log_query_that_lacks_a_log_is_found(world: World) -> None:
    block, transaction = place_of(world)

    def drop(_params: Sequence[Any], answer: Any) -> Any:
        return [
            log for log in answer if (log["blockNumber"], log["topics"][0]) != (hex(block), POSTED)
        ]

    report = world.audit(lying(LOGS, drop))
    found(report, Code.LOGS, block=block, transaction=transaction)
    assert set(report.by_code) == {Code.LOGS.value}


def test_a_log_query_that_alters_or_adds_a_log_is_found(world: World) -> None:
    block, transaction = place_of(world)

    def alter(_params: Sequence[Any], answer: Any) -> Any:
        for log in answer:
            if log["blockNumber"] == hex(block):
                log["data"] = raised(log["data"] + "00")
        return answer

    found(world.audit(lying(LOGS, alter)), Code.LOGS, block=block, transaction=transaction)

    def add(_params: Sequence[Any], answer: Any) -> Any:
        return [*answer, *({**log, "logIndex": "0x63"} for log in answer[:1])]

    assert set(world.audit(lying(LOGS, add)).by_code) == {Code.LOGS.value}


def test_a_node_that_bounds_its_log_query_is_asked_block_by_block(world: World) -> None:
    def bound(params: Sequence[Any], answer: Any) -> Any:
        one = params[0]["fromBlock"] == params[0]["toBlock"]
        return answer if one else NodeError(-32005, "too many results")

    assert world.audit(lying(LOGS, bound)).verdict == "clean"


def test_a_node_without_a_log_query_is_a_finding(world: World) -> None:
    refusing = lying(LOGS, lambda _params, _answer: NodeError(-32601, "no such method"))
    report = world.audit(refusing)
    assert set(report.by_code) == {Code.LOGS.value}


# ---------------------------------------------------------------------------- which chain


def test_another_genesis_is_found_and_nothing_else_is_looked_at(world: World) -> None:
    def other(params: Sequence[Any], answer: Any) -> Any:
        return {**answer, "hash": "0x" + "12" * 32} if params[0] == "0x0" else answer

    report = world.audit(lying(BLOCK, other))
    genesis = found(report, Code.GENESIS, block=0)
    assert (genesis.stated, genesis.computed) == (bytes([0x12]) * 32, world.deployment.genesis_hash)
    assert (report.counts.blocks, report.counts.differences) == (0, 1)


def test_another_chain_id_is_found(world: World) -> None:
    report = world.audit(lying("eth_chainId", lambda _params, _answer: "0x7"))
    assert found(report, Code.CHAIN_ID).stated == 7


# ---------------------------------------------------------------------------- state


def views(world: World, view: str, arguments: bytes, change: Lie) -> Callable[[NodeLine], NodeLine]:
    """Change what one view answers for one set of arguments."""
    data = "0x" + (load_abi_selector(view) + arguments).hex()

    def lie(params: Sequence[Any], answer: Any) -> Any:
        return change(answer) if params[0]["data"] == data else answer

    return lying(CALL, lie)


def load_abi_selector(view: str) -> bytes:
    for name in ("Settlement", "Participants", "AccessManager", "Approver"):
        functions = load_abi(name).functions
        if view in functions:
            return functions[view].selector
    raise AssertionError(view)


def word(value: int | bytes) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


@pytest.mark.parametrize(
    ("view", "arguments", "code", "place"),
    [
        ("holdingOf", (BRAVO, 3), Code.HOLDING, {"account": BRAVO, "asset": 3}),
        ("totalSupply", (1,), Code.SUPPLY, {"asset": 1}),
        ("assetOf", (3,), Code.ASSET, {"asset": 3}),
        ("assetCount", (), Code.ASSET, {}),
        ("accountOf", (ALPHA,), Code.ACCOUNT, {"account": ALPHA}),
    ],
)
def test_an_altered_answer_about_the_ledger_is_found(
    world: World, view: str, arguments: tuple[Any, ...], code: Code, place: dict[str, Any]
) -> None:
    line = views(world, view, b"".join(map(word, arguments)), raised)
    report = world.audit(line)
    difference = found(report, code, block=report.last_block, **place)
    assert difference.stated != difference.computed
    assert report.counts.differences == 1


def test_an_altered_word_of_nonces_is_found(world: World) -> None:
    slots: list[str] = []

    def lie(params: Sequence[Any], answer: Any) -> Any:
        slots.append(params[1])
        return raised(answer) if params[1] == slots[0] else answer

    report = world.audit(lying("eth_getStorageAt", lie))
    found(report, Code.NONCE_WORD, block=report.last_block)
    assert report.counts.differences == 1


def test_an_altered_live_instruction_is_found(world: World) -> None:
    selector = "0x" + load_abi_selector("liveState").hex()

    def lie(params: Sequence[Any], answer: Any) -> Any:
        if params[0]["data"].startswith(selector):
            return "0x" + f"{int(answer[2:66], 16) ^ 1:064x}" + answer[66:]
        return answer

    report = world.audit(lying(CALL, lie))
    assert found(report, Code.LIVE, block=report.last_block).instruction is not None


def test_other_code_at_an_address_is_found(world: World) -> None:
    settlement = world.deployment.settlement

    def other(params: Sequence[Any], answer: Any) -> Any:
        return answer[:-2] + "00" if params[0] == "0x" + settlement.hex() else answer

    report = world.audit(lying("eth_getCode", other))
    found(report, Code.CODE, account=settlement)
    found(report, Code.CODE_HASH, account=settlement)


def test_another_constant_in_the_code_is_found(world: World) -> None:
    settlement = world.deployment.settlement
    affirmation = world.deployment.contracts["Affirmation"].hex()

    def other(params: Sequence[Any], answer: Any) -> Any:
        if params[0] != "0x" + settlement.hex():
            return answer
        return answer.replace(affirmation, "42" * 20)

    report = world.audit(lying("eth_getCode", other))
    constant = found(report, Code.IMMUTABLE, account=settlement)
    assert "affirmation" in constant.fact


def test_a_role_that_the_node_hides_or_invents_is_found(world: World) -> None:
    issuer = world.deployment.approvers["issuer"].address
    hidden = views(world, "hasRole", word(2) + word(issuer), lambda _: "0x" + "00" * 64)
    found(world.audit(hidden), Code.ROLE_STATE, account=issuer)
    deployer = world.deployment.deployer
    invented = views(
        world, "hasRole", word(0) + word(deployer), lambda _: "0x" + word(1).hex() + word(0).hex()
    )
    report = world.audit(invented)
    found(report, Code.ROLE_STATE, account=deployer)
    found(report, Code.ROLE_PLAIN_KEY, account=deployer)


def test_a_function_opened_to_another_role_is_found(world: World) -> None:
    settlement = world.deployment.settlement
    arguments = word(settlement) + load_abi_selector("issue").ljust(32, b"\0")
    everybody = "0x" + word(2**64 - 1).hex()
    report = world.audit(views(world, "getTargetFunctionRole", arguments, lambda _: everybody))
    found(report, Code.ROLE_PUBLIC, account=settlement)


def test_a_state_that_the_node_does_not_tell_is_found(world: World) -> None:
    report = world.audit(lying(CALL, lambda _params, _answer: "0x"))
    found(report, Code.STATE_UNREADABLE)


# ---------------------------------------------------------------------------- proofs


def test_a_false_proof_is_found(anvil: World) -> None:
    def forge(_params: Sequence[Any], answer: Any) -> Any:
        answer["accountProof"][-1] = raised(answer["accountProof"][-1])
        return answer

    report = anvil.audit(lying("eth_getProof", forge))
    found(report, Code.STATE_PROOF, account=anvil.deployment.settlement)


def test_a_proof_of_another_block_is_found(anvil: World) -> None:
    """The node answers as the books want it, the state root says otherwise."""
    line = anvil.life.market.node.rpc

    def old(params: Sequence[Any], _answer: Any) -> Any:
        return line.call("eth_getProof", params[0], params[1], hex(int(params[2], 16) - 20))

    report = anvil.audit(lying("eth_getProof", old))
    found(report, Code.STATE_PROOF, account=anvil.deployment.settlement)


def test_a_false_proof_of_a_slot_is_found(anvil: World) -> None:
    def forge(_params: Sequence[Any], answer: Any) -> Any:
        for entry in answer["storageProof"]:
            entry["proof"][-1] = raised(entry["proof"][-1])
        return answer

    found(anvil.audit(lying("eth_getProof", forge)), Code.STATE_PROOF)
