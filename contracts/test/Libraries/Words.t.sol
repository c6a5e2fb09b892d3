// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Holding} from "../../src/interfaces/Types.sol";
import {HoldingWord} from "../../src/libraries/HoldingWord.sol";
import {NonceBits} from "../../src/libraries/NonceBits.sol";
import {Window} from "../../src/libraries/Window.sol";
import {Test} from "../support/Test.sol";

/// @notice The small libraries against plain statements of what they do.
contract WordsTest is Test {
    using NonceBits for NonceBits.Space;

    NonceBits.Space private space;
    mapping(uint64 nonce => uint256) private plain;

    // ---------------------------------------------------------------- NonceBits

    function testFuzz_keeps_two_bits_for_each_nonce(uint64[12] memory nonces, uint256 seed)
        external
    {
        for (uint256 k = 0; k < nonces.length; ++k) {
            // Half of them close together, so that they share words.
            uint64 nonce = k % 2 == 0 ? nonces[k] % 300 : nonces[k];
            uint256 to = (seed >> (2 * k)) & 3;
            space.move(nonce, plain[nonce], to);
            plain[nonce] = to;
            for (uint256 j = 0; j <= k; ++j) {
                uint64 other = j % 2 == 0 ? nonces[j] % 300 : nonces[j];
                assertEq(space.get(other), plain[other]);
            }
        }
    }

    /// @dev A status changes only from what the caller took it for.
    function testFuzz_moves_from_the_expected_status_only(uint64 nonce, uint256 from) external {
        space.move(nonce, 0, 3);
        from = bound(from, 0, 2);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.move(nonce, from);
    }

    function move(uint64 nonce, uint256 from) external {
        space.move(nonce, from, 1);
    }

    // ---------------------------------------------------------------- HoldingWord

    function testFuzz_holds_and_gives_back_within_the_halves(
        uint128 available,
        uint128 held,
        uint128 quantity
    ) external pure {
        held = uint128(bound(held, 0, type(uint128).max - available));
        quantity = uint128(bound(quantity, 0, available));
        uint256 word = uint256(held) << 128 | available;
        assertEq(HoldingWord.available(word), available);
        Holding memory then_ = HoldingWord.read(HoldingWord.hold(word, quantity));
        assertEq(then_.available, available - quantity);
        assertEq(then_.held, held + quantity);
        assertEq(HoldingWord.unhold(HoldingWord.hold(word, quantity), quantity), word);
    }

    // ---------------------------------------------------------------- Window

    function testFuzz_is_open_from_its_first_second_to_the_one_before_its_end(
        uint64 now_,
        uint32 away
    ) external {
        // Around the instant: two seconds before to two after.
        uint64 near = uint64(bound(now_, 2, type(uint64).max - 2)) - 2 + away % 5;
        vm.warp(now_);
        assertEq(Window.begun(near), now_ >= near);
        assertEq(Window.over(near), now_ >= near);
    }

    function testFuzz_is_too_far_beyond_the_longest_wait(uint64 now_, uint64 by, uint32 longest)
        external
    {
        vm.warp(now_);
        assertEq(Window.tooFar(by, longest), by > uint256(now_) + longest);
    }
}
