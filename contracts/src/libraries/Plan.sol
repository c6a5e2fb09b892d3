// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reason} from "../interfaces/Types.sol";

/// @dev Bytes of LegWords in memory.
uint256 constant LEG_SIZE = 0x120;

/// @notice A leg in whole words, checked to be clean, so that reading one needs no mask.
/// @dev The order is that of two others: from `typeHash` to `quantity` what EIP-712 hashes, from `deliverer`
/// to `receiverHolding` what the event Posted holds, so that both are taken where they lie. Legs lie one
/// behind the other in memory, LEG_SIZE bytes each.
/// @param delivererHolding what the deliverer holds after the leg; `delivererSlot` is where that is stored
struct LegWords {
    bytes32 typeHash;
    uint256 asset;
    uint256 deliverer;
    uint256 receiver;
    uint256 quantity;
    uint256 delivererHolding;
    uint256 receiverHolding;
    uint256 delivererSlot;
    uint256 receiverSlot;
}

/// @notice An instruction in whole words, checked to be clean, and what an examination finds out about it.
/// @dev From `typeHash` to `legsHash` it is what EIP-712 hashes.
/// @param found the reasons so far
/// @param firstLeg where the legs begin in memory; `legs` lists them
/// @param accounts in order of first appearance in the legs, deliverer before receiver
/// @param deliverers a bit per account that delivers
/// @param nonceSlot where the word of the nonce is stored
/// @param status the nonce's two bits; `isLive` says that this id is the live one
/// @param consents this and the next three are those of Live
struct Plan {
    bytes32 typeHash;
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
    bytes32 legsHash;
    Reason[] found;
    LegWords firstLeg;
    LegWords[] legs;
    uint256[] accounts;
    bytes32 id;
    uint256 deliverers;
    uint256 nonceSlot;
    uint256 status;
    bool isLive;
    uint256 consents;
    uint256 reserved;
    uint256 committed;
    uint256 released;
}

/// @title Plans in memory
library Plans {
    /// @notice An empty plan: the only element of the list.
    /// @dev A struct that a function returns is first made and zeroed field by field, for 1,500 gas; a list
    /// is not. Reserves what it writes: the list of one, then the plan's 25 words, zero but for the empty list
    /// of reasons (0x60 is where Solidity keeps the empty list). `firstLeg`, `legs` and `accounts` are made by Typed.load.
    function blank() internal pure returns (Plan[] memory one) {
        assembly ("memory-safe") {
            one := mload(0x40)
            let plan := add(one, 0x40)
            mstore(0x40, add(plan, 0x320))
            mstore(one, 1)
            mstore(add(one, 0x20), plan)
            calldatacopy(plan, calldatasize(), 0x320)
            mstore(add(plan, 0x180), 0x60)
        }
    }
}
