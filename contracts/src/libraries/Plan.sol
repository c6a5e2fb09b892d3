// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reason} from "../interfaces/Types.sol";

/// @notice A leg in whole words, checked to be clean, so that reading one needs no mask. Fields as in Leg.
struct LegWords {
    uint256 asset;
    uint256 deliverer;
    uint256 receiver;
    uint256 quantity;
}

/// @notice An instruction in whole words, checked to be clean, and what an examination finds out about it.
/// The first eleven fields are those of Instruction, in its order: Typed.load copies them at once.
/// @param found the reasons so far
/// @param accounts in order of first appearance in the legs, deliverer before receiver
/// @param deliverers a bit per account that delivers
/// @param status the nonce's two bits; `isLive` says that this id is the live one
/// @param keys of the holdings that the legs touch, two a leg, deliverer's and receiver's
/// @param next what they hold after the leg
struct Plan {
    uint256 initiator;
    uint256 nonce;
    uint256 settleFrom;
    uint256 settleBy;
    uint256 cycle;
    uint256 options;
    uint256 minimumLot;
    uint256 predecessor;
    bytes32 tradeRef;
    bytes32 terms;
    LegWords[] legs;
    bytes32 id;
    Reason[] found;
    uint256[] accounts;
    uint256 deliverers;
    uint256 status;
    bool isLive;
    uint16 consents;
    uint8 reserved;
    uint8 committed;
    uint16 released;
    uint256[] keys;
    uint256[] next;
}
