// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Leg} from "../interfaces/Types.sol";
import {LEG_SIZE, Plan} from "./Plan.sol";

/// @title EIP-712 hashes of everything that is signed
/// @notice Struct hashes only; the domain is added by the contract.
library Typed {
    bytes32 internal constant LEG_TYPE =
        keccak256("Leg(uint32 asset,address deliverer,address receiver,uint128 quantity)");
    bytes32 internal constant INSTRUCTION_TYPE = keccak256(
        "Instruction(address initiator,uint64 nonce,uint64 settleFrom,uint64 settleBy,bytes32 cycle,uint32 options,uint128 minimumLot,bytes32 predecessor,bytes32 tradeRef,bytes32 terms,Leg[] legs)Leg(uint32 asset,address deliverer,address receiver,uint128 quantity)"
    );
    bytes32 internal constant RESERVATION_TYPE =
        keccak256("Reservation(address account,bytes32 instruction,bool committed)");
    bytes32 internal constant RELEASE_TYPE =
        keccak256("Release(address account,bytes32 instruction)");
    bytes32 internal constant WITHDRAWAL_TYPE =
        keccak256("Withdrawal(address account,bytes32 instruction)");
    bytes32 internal constant CANCELLATION_TYPE =
        keccak256("Cancellation(address account,bytes32 instruction,uint64 validBy)");
    bytes32 internal constant REDEMPTION_TYPE = keccak256(
        "Redemption(address account,uint32 asset,uint128 quantity,bytes32 ref,uint64 nonce,uint64 validBy)"
    );

    /// @notice A word of the terms has bits outside its type. Two encodings must not give two ids.
    error NotCanonical();

    /// @notice Copies the terms into the plan and gives their struct hash.
    /// @dev The plain twin, nested `abi.encode` of the decoded struct, stands in the tests and costs 7,000
    /// more. The fields lie in calldata in the order in which EIP-712 hashes them, so they are copied at once,
    /// behind their type hash, and hashed where they lie.
    /// Memory from the free pointer on: the list of legs, the legs, and room for the list of accounts, all
    /// kept; behind them, not kept, the leg hashes. Bound: callers refuse more than MAX_LEGS before.
    function load(Plan memory plan, Instruction calldata source, Leg[] calldata legs)
        internal
        pure
        returns (bytes32 structHash)
    {
        bytes32 instructionType = INSTRUCTION_TYPE;
        bytes32 legType = LEG_TYPE;
        uint256 dirty;
        assembly ("memory-safe") {
            mstore(plan, instructionType)
            calldatacopy(add(plan, 0x20), source, 0x140)
            let times := or(mload(add(plan, 0x60)), mload(add(plan, 0x80)))
            dirty := shr(64, or(mload(add(plan, 0x40)), times))
            dirty := or(dirty, shr(160, mload(add(plan, 0x20))))
            dirty := or(dirty, shr(32, mload(add(plan, 0xc0))))
            dirty := or(dirty, shr(128, mload(add(plan, 0xe0))))
            // Each into its field of the plan: the list of legs, the first leg, the list of accounts.
            let entry := mload(0x40)
            mstore(add(plan, 0x1c0), entry)
            mstore(entry, legs.length)
            let leg := add(entry, shl(5, add(legs.length, 1)))
            mstore(add(plan, 0x1a0), leg)
            let end := add(leg, mul(legs.length, LEG_SIZE))
            mstore(add(plan, 0x1e0), end)
            mstore(end, 0)
            let hashes := add(end, add(shl(6, legs.length), 0x40))
            mstore(0x40, hashes)

            let from := legs.offset
            let assets, accounts, quantities
            for { let hashed := hashes } lt(leg, end) { leg := add(leg, LEG_SIZE) } {
                mstore(leg, legType)
                calldatacopy(add(leg, 0x20), from, 0x80)
                mstore(hashed, keccak256(leg, 0xa0))
                assets := or(assets, mload(add(leg, 0x20)))
                accounts := or(accounts, or(mload(add(leg, 0x40)), mload(add(leg, 0x60))))
                quantities := or(quantities, mload(add(leg, 0x80)))
                entry := add(entry, 0x20)
                mstore(entry, leg)
                from := add(from, 0x80)
                hashed := add(hashed, 0x20)
            }
            dirty := or(dirty, or(shr(32, assets), or(shr(160, accounts), shr(128, quantities))))
            mstore(add(plan, 0x160), keccak256(hashes, shl(5, legs.length)))
            structHash := keccak256(plan, 0x180)
        }
        if (dirty != 0) revert NotCanonical();
    }

    /// @notice Struct hash of a reservation.
    function reservation(address account, bytes32 id, bool committed)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(RESERVATION_TYPE, account, id, committed));
    }

    /// @notice Struct hash of the release of a reservation.
    function release(address account, bytes32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode(RELEASE_TYPE, account, id));
    }

    /// @notice Struct hash of a withdrawal of consent.
    function withdrawal(address account, bytes32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode(WITHDRAWAL_TYPE, account, id));
    }

    /// @notice Struct hash of a cancellation.
    function cancellation(address account, bytes32 id, uint64 validBy)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(CANCELLATION_TYPE, account, id, validBy));
    }

    /// @notice Struct hash of a redemption.
    function redemption(
        address account,
        uint32 asset,
        uint128 quantity,
        bytes32 ref,
        uint64 nonce,
        uint64 validBy
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(REDEMPTION_TYPE, account, asset, quantity, ref, nonce, validBy));
    }
}
