// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Invariants} from "./Invariants.sol";
import {Assertions} from "./Assertions.sol";

/// @notice What every test of this project starts from: cheat codes, assertions, targets, keys.
abstract contract Test is Assertions, Invariants {
    /// @dev Order of the group of secp256k1: a private key lies in [1, order).
    uint256 internal constant SECP256K1_ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    error EmptyRange(uint256 least, uint256 most);

    /// @notice Maps any number into [least, most]; a number that is inside stays what it is.
    function bound(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        if (least > most) revert EmptyRange(least, most);
        if (value >= least && value <= most) return value;
        uint256 span = most - least;
        // A span of all numbers has no number outside, so span + 1 cannot overflow here.
        return least + value % (span + 1);
    }

    /// @notice An account and its private key, the same ones for the same name in every run.
    function keyOf(string memory name) internal returns (address account, uint256 key) {
        key = uint256(keccak256(bytes(name))) % (SECP256K1_ORDER - 1) + 1;
        account = vm.addr(key);
        vm.label(account, name);
    }

    /// @notice An account that only sends; nobody signs for it.
    function accountOf(string memory name) internal returns (address account) {
        (account,) = keyOf(name);
    }

    /// @notice A 65-byte signature r || s || v.
    function signatureOf(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @notice A 64-byte signature r || vs (EIP-2098).
    function compactSignatureOf(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, digest);
        return abi.encodePacked(r, vs);
    }

    /// @notice Lets time pass. Reads the clock of the EVM: the optimizer may keep an old timestamp.
    function elapse(uint256 duration) internal {
        vm.warp(vm.getBlockTimestamp() + duration);
    }
}
