// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The language of conditions in words; see `Conditions` for its encoding.
abstract contract Language {
    bytes32 internal constant DELIVERED = keccak256("delivered");
    bytes internal constant NEVER = hex"00";

    function timeAt(uint64 instant) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), instant);
    }

    function signedBy(address signer, bytes32 statement) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(2), signer, statement);
    }

    function readingOf(address signer, uint8 kind, uint64 instant, int128 low, int128 high)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint8(3), signer, DELIVERED, kind, instant, low, high);
    }

    function feedOf(address feed, uint8 kind, uint80 place, int128 low, int128 high)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint8(4), feed, kind, place, low, high);
    }

    function secretOf(bytes32 secret) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(5), sha256(abi.encodePacked(secret)));
    }

    function settledIs(bytes32 id) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(6), id);
    }

    function outcomeIs(uint8 milestone, uint8 mask) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(7), milestone, mask);
    }

    function allOf(bytes memory one, bytes memory two) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"1002", one, two);
    }

    function anyOf(bytes memory one, bytes memory two) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"1102", one, two);
    }

    function not(bytes memory one) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"13", one);
    }
}
