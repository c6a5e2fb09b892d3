// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowLine, EscrowTerms, IEscrow, Ruling} from "../../src/interfaces/IEscrow.sol";
import {Typed} from "../../src/libraries/Typed.sol";
import {EscrowActs} from "../support/EscrowActs.sol";

/// @notice Law L4: the id is the EIP-712 digest of all the terms, read from calldata in one way only.
contract TermsTest is EscrowActs {
    function word(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }

    function anyLine(uint256 seed) private pure returns (EscrowLine memory) {
        return EscrowLine({
            milestone: uint8(word(seed, 0)),
            asset: uint32(word(seed, 1)),
            depositor: address(uint160(word(seed, 2))),
            beneficiary: address(uint160(word(seed, 3))),
            quantity: uint128(word(seed, 4)),
            ifMet: uint128(word(seed, 5)),
            byDefault: uint128(word(seed, 6)),
            ifUnruled: uint128(word(seed, 7))
        });
    }

    function anyTerms(uint256 seed) private pure returns (EscrowTerms memory escrow) {
        escrow.openBy = uint64(word(seed, 8));
        escrow.lines = new EscrowLine[](word(seed, 9) % 18);
        for (uint256 k = 0; k < escrow.lines.length; ++k) {
            escrow.lines[k] = anyLine(word(seed, 100 + k));
        }
        escrow.deadlines = new uint64[](word(seed, 10) % 10);
        for (uint256 k = 0; k < escrow.deadlines.length; ++k) {
            escrow.deadlines[k] = uint64(word(seed, 200 + k));
        }
        escrow.program = new bytes(word(seed, 11) % 300);
        for (uint256 k = 0; k < escrow.program.length; ++k) {
            escrow.program[k] = bytes1(uint8(word(seed, 300 + k)));
        }
        escrow.arbiters = new address[](word(seed, 12) % 9);
        for (uint256 k = 0; k < escrow.arbiters.length; ++k) {
            escrow.arbiters[k] = address(uint160(word(seed, 700 + k)));
        }
        escrow.quorum = uint8(word(seed, 13));
        escrow.answerTime = uint64(word(seed, 14));
        escrow.fallbackArbiter = address(uint160(word(seed, 15)));
        escrow.fallbackTime = uint64(word(seed, 16));
        escrow.text = bytes32(word(seed, 17));
        escrow.ref = bytes32(word(seed, 18));
        escrow.salt = bytes32(word(seed, 19));
    }

    // ---------------------------------------------------------------- the id

    /// @dev The plain twin of the assembly that reads and hashes the terms.
    function testFuzz_is_what_EIP_712_says(uint256 seed) external view {
        EscrowTerms memory escrow = anyTerms(seed);
        assertEq(books.escrowIdOf(escrow), idOf(escrow));
    }

    function testFuzz_is_another_for_every_other_field(uint256 seed) external view {
        EscrowTerms memory escrow = withPanel(anyTerms(seed));
        escrow.lines = new EscrowLine[](2);
        escrow.lines[0] = anyLine(seed);
        escrow.lines[1] = anyLine(word(seed, 1));
        escrow.deadlines = new uint64[](2);
        escrow.program = hex"00";
        bytes memory given = abi.encodeCall(books.escrowIdOf, (escrow));
        bytes32 id = books.escrowIdOf(escrow);
        // The head: openBy; the panel's four numbers and the three digests, after two words of places each.
        uint256 head = 4 + 32;
        for (uint256 field = 0; field < 12; ++field) {
            bool place = field == 1 || field == 2 || field == 3 || field == 4;
            if (!place) differs(given, head + 32 * field + 31, id);
        }
        // The lines and the other lists.
        uint256 lines = head + 12 * 32 + 32;
        for (uint256 k = 0; k < 16; ++k) {
            differs(given, lines + 32 * k + 31, id);
        }
        uint256 deadlines = lines + 16 * 32 + 32;
        differs(given, deadlines + 31, id);
        differs(given, deadlines + 63, id);
        uint256 program = deadlines + 64 + 32;
        differs(given, program, id);
        uint256 arbiters = program + 32 + 32;
        for (uint256 k = 0; k < 3; ++k) {
            differs(given, arbiters + 32 * k + 31, id);
        }
    }

    function differs(bytes memory given, uint256 index, bytes32 id) private view {
        bytes1 was = given[index];
        given[index] = was ^ 0x01;
        (bool success, bytes memory answer) = address(books).staticcall(given);
        assertTrue(success);
        assertNotEq(abi.decode(answer, (bytes32)), id, "another id");
        given[index] = was;
    }

    /// @dev Each word that has bits outside its type; two encodings must not give two ids.
    function test_refuses_a_stray_bit_in_every_word() external view {
        EscrowTerms memory escrow = withPanel(escrowOf(2, abi.encodePacked(NEVER, NEVER)));
        bytes memory given = abi.encodeCall(books.escrowIdOf, (escrow));
        uint256 head = 4 + 32;
        uint256[5] memory words = [uint256(0), 5, 6, 7, 8];
        uint256[5] memory sizes = [uint256(8), 1, 8, 20, 8];
        for (uint256 k = 0; k < 5; ++k) {
            strays(given, head + 32 * words[k], sizes[k]);
        }
        uint256 lines = head + 12 * 32 + 32;
        uint256[8] memory fields = [uint256(1), 4, 20, 20, 16, 16, 16, 16];
        for (uint256 k = 0; k < 16; ++k) {
            strays(given, lines + 32 * k, fields[k % 8]);
        }
        uint256 deadlines = lines + 16 * 32 + 32;
        strays(given, deadlines, 8);
        strays(given, deadlines + 32, 8);
        uint256 arbiters = deadlines + 64 + 32 + 32 + 32;
        for (uint256 k = 0; k < 3; ++k) {
            strays(given, arbiters + 32 * k, 20);
        }
    }

    function strays(bytes memory given, uint256 start, uint256 size) private view {
        for (uint256 k = start; k < start + 32 - size; ++k) {
            given[k] = 0x01;
            (bool success, bytes memory answer) = address(books).staticcall(given);
            assertFalse(success);
            assertEq(answer, abi.encodeWithSelector(Typed.NotCanonical.selector));
            given[k] = 0x00;
        }
    }

    /// @dev Theft by calldata: lists that lie outside, are longer than they are, or lie upon each other.
    function test_refuses_lists_that_reach_beyond_the_calldata() external view {
        EscrowTerms memory escrow = withPanel(delivery());
        bytes memory given = abi.encodeCall(books.escrowIdOf, (escrow));
        uint256 head = 4 + 32;
        for (uint256 field = 1; field < 5; ++field) {
            bytes memory odd = abi.encodePacked(given);
            odd[head + 32 * field] = 0x80;
            fails(odd);
            odd = abi.encodePacked(given);
            odd[head + 32 * field + 28] = 0x7f;
            fails(odd);
            odd = abi.encodePacked(given);
            uint256 list = head + uint8(given[head + 32 * field + 31]) + 256
                * uint256(uint8(given[head + 32 * field + 30]));
            // Longer than the calldata, by a little and by as much as wraps.
            odd[list + 30] = 0x7f;
            fails(odd);
            odd[list + 30] = 0x00;
            odd[list] = 0x08;
            fails(odd);
        }
        for (uint256 length = 4; length < given.length; length += 31) {
            bytes memory cut = abi.encodePacked(given);
            assembly ("memory-safe") {
                mstore(cut, length)
            }
            (bool success,) = address(books).staticcall(cut);
            assertFalse(success, "cut short");
        }
    }

    function fails(bytes memory given) private view {
        (bool success,) = address(books).staticcall(given);
        assertFalse(success, "beyond the calldata");
    }

    // ---------------------------------------------------------------- the code alone

    /// @dev Its own storage and its own domain are nobody's books.
    function test_answers_nothing_when_it_is_called_itself() external {
        EscrowTerms memory escrow = delivery();
        bytes[12] memory calls = [
            abi.encodeCall(books.openEscrow, (escrow, nothing)),
            abi.encodeCall(books.withdrawFromEscrow, (escrow, buyer, "")),
            abi.encodeCall(books.endByCondition, (escrow, 0, nothing)),
            abi.encodeCall(books.endByAgreement, (escrow, 0, paying(1), 0, nothing)),
            abi.encodeCall(books.openDispute, (escrow, 0, buyer, 0, 0, "")),
            abi.encodeCall(books.endByRuling, (escrow, 0, paying(1), new Ruling[](0))),
            abi.encodeCall(books.endByDefault, (escrow, 0)),
            abi.encodeCall(books.payOut, (escrow, 0, paying(1))),
            abi.encodeCall(books.giveUpPayments, (escrow, 0, paying(1))),
            abi.encodeCall(books.whatNow, (escrow)),
            abi.encodeCall(books.escrowIdOf, (escrow)),
            abi.encodeCall(books.escrowState, (bytes32(0)))
        ];
        bytes memory error_ = abi.encodeWithSelector(IEscrow.OnlyForTheBooks.selector);
        for (uint256 k = 0; k < calls.length; ++k) {
            (bool success, bytes memory answer) = escrowCode.call(calls[k]);
            assertFalse(success);
            assertEq(answer, error_);
        }
        bytes memory asked = abi.encodeCall(books.isWithdrawnFromEscrow, (bytes32(0)));
        (, bytes memory told) = escrowCode.call(asked);
        assertEq(told, error_);
        (, told) = escrowCode.call(abi.encodeCall(books.isRecordedSettled, (bytes32(0))));
        assertEq(told, error_);
    }

    function test_takes_no_ether_and_answers_no_unknown_call() external {
        vm.deal(stranger, 2);
        bytes memory call_ = abi.encodeCall(books.escrowIdOf, (delivery()));
        vm.prank(stranger);
        (bool success,) = address(books).call{value: 1}(call_);
        assertFalse(success, "ether");
        (success,) = address(books).call("");
        assertFalse(success, "no call");
        (success,) = address(books).call(hex"12345678");
        assertFalse(success, "unknown call");
    }
}
