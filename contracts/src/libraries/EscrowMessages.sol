// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title EIP-712 hashes of the messages about an escrow
/// @notice Struct hashes only; the domain is added by the contract.
library EscrowMessages {
    bytes32 internal constant WITHDRAWAL_TYPE =
        keccak256("EscrowWithdrawal(address account,bytes32 escrow)");
    bytes32 internal constant ATTESTATION_TYPE = keccak256(
        "EscrowAttestation(bytes32 escrow,uint8 milestone,address signer,bytes32 statement,uint64 observedAt)"
    );
    bytes32 internal constant READING_TYPE = keccak256(
        "EscrowReading(bytes32 escrow,uint8 milestone,address signer,bytes32 feed,uint8 kind,uint64 at,int128 value,uint64 observedAt)"
    );
    bytes32 internal constant SPLIT_TYPE = keccak256(
        "EscrowSplit(bytes32 escrow,uint8 milestone,address account,uint128[] paid,uint64 validBy)"
    );
    bytes32 internal constant DISPUTE_TYPE = keccak256(
        "EscrowDispute(bytes32 escrow,uint8 milestone,address account,bytes32 evidence,uint64 validBy)"
    );
    bytes32 internal constant RULING_TYPE = keccak256(
        "EscrowRuling(bytes32 escrow,uint8 milestone,address arbiter,uint128[] paid,bytes4 reason,uint64 validBy)"
    );

    /// @notice Struct hash of a withdrawal from terms that are not open.
    function withdrawal(address account, bytes32 id) internal pure returns (bytes32) {
        return keccak256(abi.encode(WITHDRAWAL_TYPE, account, id));
    }

    /// @notice Struct hash of what a signer of a condition says. All fields in whole, clean words.
    function attestation(
        bytes32 id,
        uint256 milestone,
        address signer,
        bytes32 statement,
        uint256 observedAt
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(ATTESTATION_TYPE, id, milestone, signer, statement, observedAt));
    }

    /// @notice Struct hash of an oracle's reading: `head` is (signer, feed), `what` is (kind, at).
    function reading(
        bytes32 id,
        uint256 milestone,
        address signer,
        bytes32 feed,
        uint256[2] memory what,
        int256 value,
        uint256 observedAt
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                READING_TYPE, id, milestone, signer, feed, what[0], what[1], value, observedAt
            )
        );
    }

    /// @notice Struct hash of an agreed split.
    function split(bytes32 id, uint256 milestone, address account, bytes32 paidHash, uint64 validBy)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SPLIT_TYPE, id, milestone, account, paidHash, validBy));
    }

    /// @notice Struct hash of a dispute.
    function dispute(
        bytes32 id,
        uint256 milestone,
        address account,
        bytes32 evidence,
        uint64 validBy
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(DISPUTE_TYPE, id, milestone, account, evidence, validBy));
    }

    /// @notice Struct hash of an arbiter's ruling.
    function ruling(
        bytes32 id,
        uint256 milestone,
        address arbiter,
        bytes32 paidHash,
        bytes4 reason,
        uint64 validBy
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(RULING_TYPE, id, milestone, arbiter, paidHash, reason, validBy));
    }

    /// @notice Hash of a list of amounts, a word each.
    function amounts(uint128[] memory paid) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(paid));
    }
}
