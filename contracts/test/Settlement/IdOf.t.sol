// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Leg, MAX_LEGS} from "../../src/interfaces/Types.sol";
import {Typed} from "../../src/libraries/Typed.sol";
import {Market} from "../support/Market.sol";

/// @notice Law L4: the id is the EIP-712 digest of all the terms, and any other term is another id.
contract IdOfTest is Market {
    // ---------------------------------------------------------------- the plain twin

    /// @dev As EIP-712 says it, from the words of the type, by nested `abi.encode`.
    function plainId(Instruction memory one) private view returns (bytes32) {
        string memory legType =
            "Leg(uint32 asset,address deliverer,address receiver,uint128 quantity)";
        string memory instructionType =
            "Instruction(address initiator,uint64 nonce,uint64 settleFrom,uint64 settleBy,bytes32 cycle,uint32 options,uint128 minimumLot,bytes32 predecessor,bytes32 tradeRef,bytes32 terms,Leg[] legs)";
        bytes memory hashes;
        for (uint256 k = 0; k < one.legs.length; ++k) {
            bytes memory words = abi.encode(keccak256(bytes(legType)), one.legs[k]);
            hashes = abi.encodePacked(hashes, keccak256(words));
        }
        bytes memory head = abi.encode(
            keccak256(abi.encodePacked(instructionType, legType)),
            one.initiator,
            one.nonce,
            one.settleFrom,
            one.settleBy,
            one.cycle
        );
        bytes memory rest = abi.encode(
            one.options, one.minimumLot, one.predecessor, one.tradeRef, one.terms, keccak256(hashes)
        );
        return digestOf(keccak256(abi.encodePacked(head, rest)));
    }

    function anyTerms(uint256 seed) private pure returns (Instruction memory one) {
        one.legs = new Leg[](1 + seed % MAX_LEGS);
        one.initiator = address(uint160(word(seed, 1)));
        one.nonce = uint64(word(seed, 2));
        one.settleFrom = uint64(word(seed, 3));
        one.settleBy = uint64(word(seed, 4));
        one.cycle = bytes32(word(seed, 5));
        one.options = uint32(word(seed, 6));
        one.minimumLot = uint128(word(seed, 7));
        one.predecessor = bytes32(word(seed, 8));
        one.tradeRef = bytes32(word(seed, 9));
        one.terms = bytes32(word(seed, 10));
        for (uint256 k = 0; k < one.legs.length; ++k) {
            one.legs[k] = leg(
                uint32(word(seed, 11 + 4 * k)),
                address(uint160(word(seed, 12 + 4 * k))),
                address(uint160(word(seed, 13 + 4 * k))),
                uint128(word(seed, 14 + 4 * k))
            );
        }
    }

    function word(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }

    function testFuzz_is_what_the_plain_twin_gives(uint256 seed) external view {
        Instruction memory one = anyTerms(seed);
        assertEq(books.idOf(one), plainId(one));
    }

    /// @dev The published type strings. A changed one is another protocol.
    function test_pins_the_types_that_are_signed() external pure {
        assertEq(
            Typed.INSTRUCTION_TYPE,
            0xc97a024247a07101761649580cd4f041c1c38aede07792edb15ecc327cde0b1e
        );
        assertEq(Typed.LEG_TYPE, 0xa09561a2025c31728e70dd1b0fd710a31deedbb195c5bdaf6e5eef3e07b0ccb5);
        assertEq(
            Typed.RESERVATION_TYPE,
            0xbd5f348656b03bfcaadfddcf06c0201e0fe1ba9da7e25dce8e3fb98148d00518
        );
        assertEq(
            Typed.RELEASE_TYPE, 0x7e07d33ff96af68f51539d35ebc6c4112abe24e175b12286f0257865cba1ef53
        );
        assertEq(
            Typed.WITHDRAWAL_TYPE,
            0xbecf3b9466d2d7d9b5476d8dcc437ebee29d515a3fb52c7cad291dbcc3d741ee
        );
        assertEq(
            Typed.CANCELLATION_TYPE,
            0x5484bc9ea9fa5bbc8ca8ef6d1941225b557b739996c93e71ad1738c7cea2587d
        );
        assertEq(
            Typed.REDEMPTION_TYPE,
            0x68e9f2c1c07d4bca98b9e8a87e81657b922ab16ef17597388ac7ed6f0d443c88
        );
    }

    function test_names_its_domain() external view {
        (, string memory name, string memory version, uint256 chain, address at,,) =
            books.eip712Domain();
        assertEq(name, "settle");
        assertEq(version, "1");
        assertEq(chain, block.chainid);
        assertEq(at, address(books));
    }

    // ---------------------------------------------------------------- one field, another id

    /// @dev Field by field: the id is another one, and the signatures of the old id settle nothing.
    function testFuzz_is_another_when_any_one_field_is(uint256 field, uint256 change) external {
        fund();
        Instruction memory one = dvp(1);
        bytes32 id = books.idOf(one);
        bytes[] memory old = signed(one);
        Instruction memory altered = alter(one, field % 18, change);
        assertNotEq(books.idOf(altered), id);
        (bool success,) = address(books).call(abi.encodeCall(books.settle, (altered, old)));
        assertFalse(success, "forged terms");
        // As consents on chain they count for nothing either.
        books.affirm(one, old);
        (success,) = address(books).call(abi.encodeCall(books.settle, (altered, nothing)));
        assertFalse(success, "terms under the consents of others");
        books.settle(one, nothing);
    }

    /// @dev Trap: terms outside the hash. Every field that there is, legs of both places included.
    function alter(Instruction memory one, uint256 field, uint256 change)
        private
        view
        returns (Instruction memory other)
    {
        other = dvp(1);
        uint256 not0 = bound(change, 1, type(uint32).max);
        if (field == 0) other.initiator = address(uint160(one.initiator) ^ uint160(not0));
        if (field == 1) other.nonce ^= uint64(not0);
        if (field == 2) other.settleFrom ^= uint64(not0);
        if (field == 3) other.settleBy ^= uint64(not0);
        if (field == 4) other.cycle ^= bytes32(not0);
        if (field == 5) other.options ^= uint32(not0);
        if (field == 6) other.minimumLot ^= uint128(not0);
        if (field == 7) other.predecessor ^= bytes32(not0);
        if (field == 8) other.tradeRef ^= bytes32(not0);
        if (field == 9) other.terms ^= bytes32(not0);
        Leg memory one_ = other.legs[change % 2];
        if (field == 10) one_.asset ^= uint32(not0);
        if (field == 11) one_.deliverer = address(uint160(one_.deliverer) ^ uint160(not0));
        if (field == 12) one_.receiver = address(uint160(one_.receiver) ^ uint160(not0));
        if (field == 13) one_.quantity ^= uint128(not0);
        if (field == 14) (other.legs[0], other.legs[1]) = (other.legs[1], other.legs[0]);
        if (field == 15) {
            (one_.deliverer, one_.receiver) = (one_.receiver, one_.deliverer);
        }
        if (field == 16 || field == 17) {
            Leg[] memory legs = new Leg[](field == 16 ? 1 : 3);
            legs[0] = other.legs[0];
            if (field == 17) (legs[1], legs[2]) = (other.legs[1], other.legs[change % 2]);
            other.legs = legs;
        }
    }

    function test_is_another_on_another_chain_and_in_another_contract() external {
        fund();
        Instruction memory one = dvp(1);
        bytes32 id = books.idOf(one);
        bytes[] memory old = signed(one);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        assertNotEq(books.idOf(one), id, "another chain");
        assertUnsettled(one, old, reasonOf("XBAD", 0, seller));
        vm.chainId(here);
        deployBooks();
        assertNotEq(books.idOf(one), id, "another contract");
    }

    /// @dev Messages of one kind serve no other: no struct hash of one is one of another.
    function test_takes_no_message_for_an_instruction() external {
        fund();
        Instruction memory one = dvp(1);
        bytes32 id = books.idOf(one);
        bytes32[5] memory digests = [
            reservationOf(seller, id, true),
            reservationOf(seller, id, false),
            about(RELEASE, seller, id),
            about(WITHDRAWAL, seller, id),
            cancellationOf(seller, id, CLOSES)
        ];
        for (uint256 k = 0; k < digests.length; ++k) {
            bytes[] memory signatures = signed(one);
            signatures[0] = signatureBy(seller, digests[k]);
            assertUnsettled(one, signatures, reasonOf("XBAD", 0, seller));
        }
    }

    // ---------------------------------------------------------------- one encoding

    /// @dev Bits outside a field's type would let two encodings pass for one: refused by every entry.
    function testFuzz_refuses_words_with_bits_outside_their_type(uint256 field, uint256 bit)
        external
    {
        fund();
        Instruction memory one = dvp(1);
        bytes[] memory all = signed(one);
        bytes[4] memory calls = [
            abi.encodeCall(books.settle, (one, all)),
            abi.encodeCall(books.affirm, (one, all)),
            abi.encodeCall(books.whyNot, (one, all)),
            abi.encodeCall(books.settleMany, (listOf(one, all)))
        ];
        // Word of the field from the beginning of the instruction, and the bits of its type.
        uint8[14] memory words = [0, 1, 2, 3, 5, 6, 12, 13, 14, 15, 16, 17, 18, 19];
        uint8[14] memory bits = [160, 64, 64, 64, 32, 128, 32, 160, 160, 128, 32, 160, 160, 128];
        field %= 14;
        bit = bound(bit, bits[field], 255);
        for (uint256 k = 0; k < calls.length; ++k) {
            // The instruction begins behind two offsets; in a batch behind three and a length of one.
            uint256 at = 4 + 32 * ((k == 3 ? 5 : 2) + uint256(words[field]));
            bytes memory call_ = calls[k];
            assembly ("memory-safe") {
                let place := add(add(call_, 0x20), at)
                mstore(place, xor(mload(place), shl(bit, 1)))
            }
            (bool success, bytes memory answer) = address(books).call(call_);
            assertFalse(success, "dirty word");
            assertEq(answer, abi.encodeWithSelector(Typed.NotCanonical.selector));
        }
        books.settle(one, all);
    }
}
