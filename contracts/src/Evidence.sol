// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IEscrow, Outcome} from "./interfaces/IEscrow.sol";
import {Instruction, MAX_LEGS, OPTION_RECORD} from "./interfaces/Types.sol";
import {Examination} from "./Examination.sol";
import {Clocks} from "./libraries/Clocks.sol";
import {Conditions} from "./libraries/Conditions.sol";
import {Clock} from "./libraries/EscrowPlan.sol";
import {EscrowMessages} from "./libraries/EscrowMessages.sol";
import {Feed} from "./libraries/Feed.sol";
import {InstructionTerms} from "./libraries/InstructionTerms.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {Plan, Plans} from "./libraries/Plan.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Typed} from "./libraries/Typed.sol";
import {Window} from "./libraries/Window.sol";

/// @title Does a condition hold, with this evidence, now?
/// @notice What held once holds ever after, until the deadline: evidence is brought and does not go away, and
/// the chain is asked only for facts that do not change any more.
abstract contract Evidence is Examination {
    using Clocks for Clock;
    using NonceBits for NonceBits.Space;

    /// @dev Bytes of an encoded instruction up to its legs: its place, eleven fields, how many legs.
    uint256 private constant HEAD_SIZE = 0x1a0;

    /// @dev A condition that is being read.
    /// @param openedAt nothing that was observed before counts
    /// @param outcomes three bits a milestone, see EscrowState
    /// @param offset of the next node in the program
    /// @param next index of the next piece of evidence
    struct Question {
        bytes32 domain;
        bytes32 id;
        uint256 milestone;
        uint256 openedAt;
        uint256 outcomes;
        uint256 offset;
        uint256 next;
    }

    /// @dev Every leaf is read, whatever the others say: evidence that is brought must be good.
    /// Bounds: MAX_CONDITION_NODES, MAX_PROGRAM, and MAX_CONDITION_DEPTH for the recursion, checked at opening:
    /// nothing counted here can overflow.
    function _holds(
        Question memory question,
        Clock memory clock,
        bytes calldata program,
        bytes[] calldata evidence,
        bool negated
    ) internal view returns (bool) {
        unchecked {
            uint256 node = question.offset;
            uint256 opcode = Conditions.opcodeAt(program, node);
            question.offset = node + Conditions.sizeOf(opcode);
            if (opcode >= Conditions.ALL) {
                if (opcode == Conditions.NOT) {
                    return _holds(question, clock, program, evidence, true);
                }
                uint256 needed = Conditions.number(program, node + 1, 1);
                uint256 children = opcode == Conditions.AT_LEAST
                    ? Conditions.number(program, node + 2, 1)
                    : needed;
                if (opcode == Conditions.ANY) needed = 1;
                uint256 met = 0;
                for (uint256 k = 0; k < children; ++k) {
                    if (_holds(question, clock, program, evidence, false)) ++met;
                }
                return met >= needed;
            }
            if (opcode == Conditions.NEVER) return false;
            if (opcode == Conditions.TIME) {
                uint256 instant = Conditions.number(program, node + 1, 8);
                return Window.begun(clock.moved(question.milestone, instant));
            }
            if (opcode == Conditions.OUTCOME) return _isOutcome(question, program, node, negated);
            bytes32 fact = bytes32(Conditions.word(program, node + 1));
            if (opcode == Conditions.SETTLED && !negated) return _recorded[fact];
            uint256 index = question.next++;
            bytes calldata brought = evidence[index];
            if (brought.length == 0) return false;
            if (opcode == Conditions.SIGNED) {
                return _isSigned(question, program, node, index, brought);
            }
            if (opcode == Conditions.READING) {
                return _isRead(question, program, node, index, brought);
            }
            if (opcode == Conditions.FEED) return _isFed(question, program, node, index, brought);
            if (opcode == Conditions.PREIMAGE) {
                if (brought.length != 32) revert IEscrow.PreimageLength(index, brought.length);
                if (sha256(brought) != fact) revert IEscrow.PreimageWrong(index);
                return true;
            }
            return _cannotSettle(fact, index, brought);
        }
    }

    // ------------------------------------------------------------------------------------------ facts

    /// @dev What the named milestone ended with is in the mask; or, negated, it ended and is not.
    function _isOutcome(
        Question memory question,
        bytes calldata program,
        uint256 node,
        bool negated
    ) private pure returns (bool) {
        uint256 named = Conditions.number(program, node + 1, 1);
        uint256 mask = Conditions.number(program, node + 2, 1);
        uint256 outcome = (question.outcomes >> (3 * named)) & 3;
        if (outcome == uint256(Outcome.None)) return false;
        return ((mask >> (outcome - 1)) & 1 == 1) != negated;
    }

    /// @dev The instruction of that id did not settle and never will. Asks of its terms only what its id and
    /// its end hang on.
    function _cannotSettle(bytes32 id, uint256 index, bytes calldata brought)
        private
        view
        returns (bool)
    {
        Instruction calldata instruction = _decode(index, brought);
        bytes32 given = 0;
        Plan memory plan = Plans.blank()[0];
        if (InstructionTerms.mayCount(instruction.legs.length)) {
            given = _hashTypedDataV4(Typed.load(plan, instruction, instruction.legs));
        }
        if (given != id) revert IEscrow.InstructionNotTheOne(index, given, id);
        if (plan.options & OPTION_RECORD == 0) revert IEscrow.EvidenceInvalid(index);
        if (_recorded[id]) return false;
        uint256 status = _nonces[_initiator(plan)].get(plan.nonce);
        // Live: of this id or another one, it may still be open.
        if (status == NonceBits.SETTLED || status == NonceBits.CANCELLED) return true;
        return Window.over(plan.settleBy);
    }

    /// @dev Takes `abi.encode` of an instruction and no other form of it, so that what counts here counts for
    /// everybody who reads it again: two offsets, the number of legs, and nothing behind them.
    function _decode(uint256 index, bytes calldata brought)
        private
        pure
        returns (Instruction calldata instruction)
    {
        uint256 legs = Conditions.word(brought, HEAD_SIZE - 0x20);
        bool good = brought.length >= HEAD_SIZE && legs <= MAX_LEGS
            && brought.length == HEAD_SIZE + legs * 0x80 && Conditions.word(brought, 0) == 0x20
            && Conditions.word(brought, HEAD_SIZE - 0x40) == HEAD_SIZE - 0x40;
        if (!good) revert IEscrow.EvidenceInvalid(index);
        assembly ("memory-safe") {
            instruction := add(brought.offset, 0x20)
        }
    }

    // ------------------------------------------------------------------------------------------ statements

    /// @dev observedAt:8, signature.
    function _isSigned(
        Question memory question,
        bytes calldata program,
        uint256 node,
        uint256 index,
        bytes calldata brought
    ) private view returns (bool) {
        if (brought.length < 8) revert IEscrow.EvidenceInvalid(index);
        uint256 observedAt = Conditions.number(brought, 0, 8);
        _requireInTime(question, index, observedAt);
        address signer = _address(Conditions.number(program, node + 1, 20));
        bytes32 statement = bytes32(Conditions.word(program, node + 21));
        bytes32 message = EscrowMessages.attestation(
            question.id, question.milestone, signer, statement, observedAt
        );
        _requireKey(question, index, signer, message, brought[8:]);
        return true;
    }

    /// @dev value:16, observedAt:8, signature. A good reading out of the range is no error: it is not met.
    function _isRead(
        Question memory question,
        bytes calldata program,
        uint256 node,
        uint256 index,
        bytes calldata brought
    ) private view returns (bool) {
        if (brought.length < 24) revert IEscrow.EvidenceInvalid(index);
        int256 value = int256(Conditions.word(brought, 0)) >> 128;
        uint256 observedAt = Conditions.number(brought, 16, 8);
        uint256[2] memory what =
            [Conditions.number(program, node + 53, 1), Conditions.number(program, node + 54, 8)];
        if (what[0] == 1 && observedAt != what[1]) {
            revert IEscrow.ReadingOfAnotherRound(index, observedAt, what[1]);
        }
        _requireInTime(question, index, observedAt);
        address signer = _address(Conditions.number(program, node + 1, 20));
        bytes32 message = EscrowMessages.reading(
            question.id,
            question.milestone,
            signer,
            bytes32(Conditions.word(program, node + 21)),
            what,
            value,
            observedAt
        );
        _requireKey(question, index, signer, message, brought[24:]);
        (int256 low, int256 high) = Conditions.range(program, node + 62);
        return low <= value && value <= high;
    }

    /// @dev round:10. The contract is asked for that round and, where the first from an instant on is meant, for
    /// the one before it.
    function _isFed(
        Question memory question,
        bytes calldata program,
        uint256 node,
        uint256 index,
        bytes calldata brought
    ) private view returns (bool) {
        if (brought.length != 10) revert IEscrow.EvidenceInvalid(index);
        uint256 round = Conditions.number(brought, 0, 10);
        bool first = Conditions.number(program, node + 21, 1) == 1;
        uint256 wanted = Conditions.number(program, node + 22, 10);
        if (first ? round == 0 : round != wanted) {
            revert IEscrow.ReadingOfAnotherRound(index, round, wanted);
        }
        address feed = _address(Conditions.number(program, node + 1, 20));
        (bool told, int256 answer, uint256 updatedAt) = Feed.ask(feed, round);
        if (!told || updatedAt == 0 || updatedAt > block.timestamp) {
            revert IEscrow.FeedSilent(index, feed);
        }
        if (first && updatedAt < wanted) {
            revert IEscrow.ReadingOfAnotherRound(index, round, wanted);
        }
        if (updatedAt < question.openedAt) {
            // Not after now.
            // forge-lint: disable-next-line(unsafe-typecast)
            revert IEscrow.EvidenceStale(index, uint64(updatedAt), question.openedAt);
        }
        if (first) {
            (told,, updatedAt) = Feed.ask(feed, round - 1);
            if (!told) revert IEscrow.FeedSilent(index, feed);
            if (updatedAt == 0 || updatedAt >= wanted) {
                revert IEscrow.ReadingOfAnotherRound(index, round, wanted);
            }
        }
        (int256 low, int256 high) = Conditions.range(program, node + 32);
        return low <= answer && answer <= high;
    }

    function _requireInTime(Question memory question, uint256 index, uint256 observedAt)
        private
        view
    {
        // Words of 64 bits.
        // forge-lint: disable-start(unsafe-typecast)
        if (observedAt > block.timestamp) {
            revert IEscrow.EvidenceFromTheFuture(index, uint64(observedAt), block.timestamp);
        }
        if (observedAt < question.openedAt) {
            revert IEscrow.EvidenceStale(index, uint64(observedAt), question.openedAt);
        }
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @dev By the key alone, never by asking a wallet: it could say yes today and no tomorrow.
    function _requireKey(
        Question memory question,
        uint256 index,
        address signer,
        bytes32 message,
        bytes calldata signature
    ) private pure {
        bytes32 digest = MessageHashUtils.toTypedDataHash(question.domain, message);
        if (!Signatures.signs(digest, signer, signature)) revert IEscrow.EvidenceInvalid(index);
    }
}
