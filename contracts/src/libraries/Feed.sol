// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "./Signatures.sol";

/// @title A price feed on the chain, asked for one round
library Feed {
    /// @dev getRoundData(uint80): (roundId, answer, startedAt, updatedAt, answeredInRound), five words.
    bytes4 private constant GET_ROUND_DATA = 0x9a6fc8f5;
    uint256 private constant ANSWER_SIZE = 0xa0;

    /// @notice Gas that a feed gets to answer, never less.
    uint256 internal constant FEED_GAS = 50_000;

    /// @notice What the feed says about a round; not told if it fails, says too little, or speaks of another.
    /// @dev A static call; at most five words of the answer are taken, whatever comes back.
    function ask(address feed, uint256 round)
        internal
        view
        returns (bool told, int256 answer, uint256 updatedAt)
    {
        // EIP-150 keeps a 64th back, and reaching the feed costs 2,600.
        uint256 needed = (FEED_GAS * 64) / 63 + 6000;
        if (gasleft() < needed) revert Signatures.NotEnoughGas(gasleft(), needed);
        bytes memory room = abi.encodePacked(GET_ROUND_DATA, round, new bytes(ANSWER_SIZE));
        assembly ("memory-safe") {
            let place := add(room, 0x20)
            let success := staticcall(FEED_GAS, feed, place, 0x24, place, ANSWER_SIZE)
            let whole := iszero(lt(returndatasize(), ANSWER_SIZE))
            told := and(and(success, whole), eq(mload(place), round))
            answer := mload(add(place, 0x20))
            updatedAt := mload(add(place, 0x60))
        }
    }
}
