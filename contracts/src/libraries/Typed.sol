// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Leg} from "../interfaces/Types.sol";

/// @title EIP-712 hashes of everything that is signed
/// @notice Struct hashes only; the domain is added by the contract.
library Typed {
    bytes32 internal constant LEG_TYPE =
        keccak256("Leg(uint32 asset,address deliverer,address receiver,uint128 quantity)");
    bytes32 internal constant INSTRUCTION_TYPE = keccak256(
        "Instruction(address initiator,uint64 nonce,uint64 settleFrom,uint64 settleBy,bytes32 cycle,uint32 options,uint128 minimumLot,bytes32 predecessor,bytes32 tradeRef,bytes32 terms,Leg[] legs)Leg(uint32 asset,address deliverer,address receiver,uint128 quantity)"
    );
    bytes32 internal constant RESERVATION_TYPE =
        keccak256("Reservation(bytes32 instruction,bool committed)");
    bytes32 internal constant RELEASE_TYPE = keccak256("Release(bytes32 instruction)");
    bytes32 internal constant WITHDRAWAL_TYPE = keccak256("Withdrawal(bytes32 instruction)");
    bytes32 internal constant CANCELLATION_TYPE = keccak256("Cancellation(bytes32 instruction)");
    bytes32 internal constant REDEMPTION_TYPE = keccak256(
        "Redemption(address account,uint32 asset,uint128 quantity,bytes32 ref,uint64 nonce,uint64 validBy)"
    );

    /// @notice Struct hash of an instruction with all its legs.
    function hash(Instruction calldata instruction) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                INSTRUCTION_TYPE,
                instruction.initiator,
                instruction.nonce,
                instruction.settleFrom,
                instruction.settleBy,
                instruction.cycle,
                instruction.options,
                instruction.minimumLot,
                instruction.predecessor,
                instruction.tradeRef,
                instruction.terms,
                _hash(instruction.legs)
            )
        );
    }

    function _hash(Leg[] calldata legs) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](legs.length);
        // Bound: callers refuse more than MAX_LEGS before they ask for an id.
        for (uint256 k = 0; k < legs.length; ++k) {
            Leg calldata leg = legs[k];
            hashes[k] = keccak256(
                abi.encode(LEG_TYPE, leg.asset, leg.deliverer, leg.receiver, leg.quantity)
            );
        }
        return keccak256(abi.encodePacked(hashes));
    }

    /// @notice Struct hash of a message about one instruction: release, withdrawal or cancellation.
    function about(bytes32 messageType, bytes32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode(messageType, id));
    }

    /// @notice Struct hash of a reservation.
    function reservation(bytes32 id, bool committed) internal pure returns (bytes32) {
        return keccak256(abi.encode(RESERVATION_TYPE, id, committed));
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
