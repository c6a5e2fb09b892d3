// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowTerms, IEscrow, MIN_STEP} from "../../src/interfaces/IEscrow.sol";
import {EscrowActs} from "../support/EscrowActs.sol";

/// @notice Programs that are not conditions are refused when they are opened, at their exact place.
contract ProgramTest is EscrowActs {
    uint64 private constant LATEST = uint64(DEADLINE - MIN_STEP);

    function malformed(bytes memory program, uint256 offset) private {
        refusesToOpen(
            escrowOf(program),
            abi.encodeWithSelector(IEscrow.ConditionMalformed.selector, 0, offset)
        );
    }

    function tooLate(bytes memory program, uint256 limit) private {
        refusesToOpen(
            escrowOf(program),
            abi.encodeWithSelector(IEscrow.DeadlinesInvalid.selector, 0, DEADLINE, limit)
        );
    }

    function opens(bytes memory program) private {
        open(escrowOf(program));
    }

    function group(bytes memory head, bytes memory child, uint256 times)
        private
        pure
        returns (bytes memory program)
    {
        program = head;
        for (uint256 k = 0; k < times; ++k) {
            program = abi.encodePacked(program, child);
        }
    }

    // ---------------------------------------------------------------- nodes

    function test_refuses_every_byte_that_is_no_opcode() external {
        for (uint256 opcode = 8; opcode < 256; ++opcode) {
            if (opcode >= 0x10 && opcode <= 0x13) continue;
            malformed(abi.encodePacked(uint8(opcode), new bytes(99)), 0);
        }
    }

    function test_refuses_a_leaf_that_is_cut_short() external {
        bytes[7] memory leaves = [
            timeAt(LATEST),
            signedBy(third, DELIVERED),
            readingOf(third, 0, 1, 0, 1),
            feedOf(third, 0, 1, 0, 1),
            secretOf("secret"),
            settledIs("id"),
            allOf(timeAt(LATEST), timeAt(LATEST))
        ];
        for (uint256 k = 0; k < leaves.length; ++k) {
            bytes memory leaf = leaves[k];
            opens(leaf);
            assembly ("memory-safe") {
                mstore(leaf, sub(mload(leaf), 1))
            }
            malformed(leaf, k == 6 ? 11 : 0);
        }
        malformed("", 0);
        malformed(hex"10", 0);
        malformed(hex"1202", 0);
        malformed(hex"1002", 2);
    }

    function test_refuses_what_is_left_over() external {
        bytes memory error_ = abi.encodeWithSelector(IEscrow.ProgramNotUsedUp.selector, 9, 10);
        refusesToOpen(escrowOf(abi.encodePacked(timeAt(LATEST), NEVER)), error_);
    }

    function test_refuses_never_beside_other_conditions() external {
        malformed(anyOf(NEVER, timeAt(LATEST)), 2);
        opens(NEVER);
    }

    function test_refuses_groups_of_too_few_or_too_many() external {
        bytes memory leaf = timeAt(LATEST);
        for (uint8 opcode = 0x10; opcode < 0x12; ++opcode) {
            for (uint8 count = 0; count < 12; ++count) {
                bytes memory program = group(abi.encodePacked(opcode, count), leaf, count);
                if (count > 1 && count < 9) opens(program);
                else malformed(program, 0);
            }
        }
        malformed(group(hex"10ff", leaf, 30), 0);
        for (uint8 least = 0; least < 10; ++least) {
            for (uint8 count = 0; count < 10; ++count) {
                bytes memory head = abi.encodePacked(hex"12", least, count);
                if (least > 1 && least < count && count < 9) opens(group(head, leaf, count));
                else malformed(group(head, leaf, count), 0);
            }
        }
    }

    /// @dev Only what cannot change any more may be negated: evidence that nobody brings must not count.
    function test_refuses_to_negate_anything_but_facts_of_the_chain() external {
        malformed(not(timeAt(LATEST)), 0);
        malformed(not(signedBy(third, DELIVERED)), 0);
        malformed(not(readingOf(third, 0, 1, 0, 1)), 0);
        malformed(not(feedOf(third, 0, 1, 0, 1)), 0);
        malformed(not(secretOf("secret")), 0);
        malformed(not(NEVER), 0);
        malformed(not(allOf(settledIs("id"), settledIs("id"))), 0);
        malformed(not(not(settledIs("id"))), 0);
        malformed(hex"13", 0);
        opens(not(settledIs("id")));
    }

    // ---------------------------------------------------------------- size

    function test_refuses_more_than_32_nodes() external {
        bytes memory leaf = settledIs("id");
        bytes memory eight = group(hex"1008", leaf, 8);
        bytes memory most = group(group(hex"1007", eight, 3), leaf, 4);
        opens(most);
        bytes memory more = group(group(hex"1008", eight, 3), leaf, 5);
        refusesToOpen(
            escrowOf(more), abi.encodeWithSelector(IEscrow.ConditionTooLarge.selector, 0, 33, 32)
        );
    }

    function test_refuses_more_than_four_levels() external {
        bytes memory leaf = timeAt(LATEST);
        bytes memory deep = allOf(leaf, anyOf(leaf, allOf(leaf, leaf)));
        opens(deep);
        refusesToOpen(
            escrowOf(anyOf(leaf, deep)),
            abi.encodeWithSelector(IEscrow.ConditionTooDeep.selector, 0, 4)
        );
        refusesToOpen(
            escrowOf(allOf(leaf, anyOf(leaf, allOf(leaf, not(settledIs("id")))))),
            abi.encodeWithSelector(IEscrow.ConditionTooDeep.selector, 0, 4)
        );
    }

    // ---------------------------------------------------------------- fields

    function test_refuses_a_signer_or_oracle_that_is_nobody() external {
        malformed(signedBy(address(0), DELIVERED), 0);
        malformed(readingOf(address(0), 0, 1, 0, 1), 0);
        malformed(feedOf(address(0), 0, 1, 0, 1), 0);
    }

    function test_refuses_a_reading_of_no_kind_or_an_empty_range() external {
        malformed(readingOf(third, 2, LATEST, 0, 1), 0);
        malformed(feedOf(third, 2, LATEST, 0, 1), 0);
        malformed(readingOf(third, 0, 1, 1, 0), 0);
        malformed(feedOf(third, 0, 1, 0, -1), 0);
        opens(readingOf(third, 0, 1, -5, -5));
        opens(feedOf(third, 0, 1, type(int128).min, type(int128).max));
    }

    /// @dev A reading from before the opening would be known to who opens.
    function test_refuses_an_instant_of_reading_before_openBy() external {
        malformed(readingOf(third, 1, OPEN_BY - 1, 0, 1), 0);
        malformed(feedOf(third, 1, OPEN_BY - 1, 0, 1), 0);
        opens(readingOf(third, 1, OPEN_BY, 0, 1));
        opens(feedOf(third, 1, OPEN_BY, 0, 1));
    }

    function test_refuses_instants_with_less_than_an_hour_behind_them() external {
        tooLate(timeAt(LATEST + 1), DEADLINE + 1);
        tooLate(timeAt(type(uint64).max), uint256(type(uint64).max) + MIN_STEP);
        tooLate(readingOf(third, 1, LATEST + 1, 0, 1), DEADLINE + 1);
        tooLate(feedOf(third, 1, LATEST + 1, 0, 1), DEADLINE + 1);
        uint256 far = type(uint80).max;
        tooLate(feedOf(third, 1, type(uint80).max, 0, 1), far + MIN_STEP);
        opens(timeAt(LATEST));
        opens(readingOf(third, 1, LATEST, 0, 1));
        opens(feedOf(third, 1, LATEST, 0, 1));
    }

    /// @dev Law L10: no circle of milestones, and each has time behind those that it hangs on.
    function test_refuses_a_milestone_that_hangs_on_itself_or_a_later_one() external {
        bytes4 error_ = IEscrow.ConditionMalformed.selector;
        for (uint8 named = 1; named < 4; ++named) {
            EscrowTerms memory escrow =
                escrowOf(3, abi.encodePacked(NEVER, outcomeIs(named, 1), NEVER));
            refusesToOpen(escrow, abi.encodeWithSelector(error_, 1, 1));
        }
        open(escrowOf(3, abi.encodePacked(NEVER, outcomeIs(0, 1), outcomeIs(1, 6))));
    }

    function test_refuses_an_outcome_of_no_class_or_of_all() external {
        bytes4 error_ = IEscrow.ConditionMalformed.selector;
        for (uint8 mask = 0; mask < 9; ++mask) {
            EscrowTerms memory escrow = escrowOf(2, abi.encodePacked(NEVER, outcomeIs(0, mask)));
            if (mask > 0 && mask < 7) open(escrow);
            else refusesToOpen(escrow, abi.encodeWithSelector(error_, 1, 1));
        }
    }

    function test_refuses_a_milestone_too_soon_after_the_one_it_names() external {
        EscrowTerms memory escrow = escrowOf(2, abi.encodePacked(NEVER, outcomeIs(0, 1)));
        escrow.deadlines[1] = uint64(DEADLINE + MIN_STEP - 1);
        bytes memory error_ = abi.encodeWithSelector(
            IEscrow.DeadlinesInvalid.selector, 1, DEADLINE + MIN_STEP - 1, DEADLINE + MIN_STEP
        );
        refusesToOpen(escrow, error_);
        escrow.deadlines[1] = uint64(DEADLINE + MIN_STEP);
        open(escrow);
    }

    /// @dev Theft: to reveal the secret, and then lose the payment to who gives up behind a freeze.
    function test_refuses_a_secret_beside_two_depositors() external {
        EscrowTerms memory escrow = escrowOf(anyOf(timeAt(LATEST), secretOf("secret")));
        addLine(escrow, lineOf(0, BOND, seller, buyer, 1));
        refusesToOpen(escrow, abi.encodeWithSelector(IEscrow.ConditionMalformed.selector, 0, 11));
        escrow.lines[1] = lineOf(0, EURO, buyer, agent, 1);
        open(escrow);
    }
}
