// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Four eyes of two organisations
/// @notice Holds a role. Acts only under the signatures of two signers of two organisations over the exact
/// call, with a reason code and an evidence hash. Signers are fixed at deployment and can only become fewer;
/// a new set is a new approver, to which the role is granted.
interface IApprover {
    /// @param target contract to call
    /// @param data the call, selector and arguments
    /// @param reason four letters, why
    /// @param evidence hash of the file that supports it, or 0
    /// @param nonce unordered; makes two equal operations two
    /// @param validBy unix second from which the signatures serve no more; at most MAX_VALIDITY ahead
    struct Operation {
        address target;
        bytes data;
        bytes4 reason;
        bytes32 evidence;
        uint64 nonce;
        uint64 validBy;
    }

    event Approved(
        bytes32 indexed operation,
        address indexed target,
        bytes4 selector,
        bytes4 reason,
        bytes32 evidence,
        address first,
        address second
    );
    event Revoked(bytes32 indexed operation, address indexed by);
    event SignerRemoved(address indexed signer, bytes32 indexed organisation, address by);

    error SignersInvalid();
    error SignersNotOfTwoOrganisations(address first, address second);
    error OperationDone(bytes32 operation);
    error OperationExpired(uint64 validBy, uint256 now_);
    error ValidityTooLong(uint64 validBy, uint256 latest);
    error NotASigner(address caller);
    error NotOfTheOrganisation(address signer, address caller);

    /// @notice Performs an operation that two organisations signed, once. Anyone may bring it.
    /// @dev Signatures over `Operation(address target,bytes data,bytes4 reason,bytes32 evidence,uint64 nonce,uint64 validBy)`.
    /// A failing call reverts with its own error.
    function execute(Operation calldata operation, bytes calldata first, bytes calldata second)
        external
        returns (bytes memory result);

    /// @notice Ends an operation that was signed and is not done, at once.
    /// @dev Requires: any signer.
    function revoke(bytes32 operation) external;

    /// @notice Removes a signer at once.
    /// @dev Requires: a signer of the same organisation, itself for instance.
    function remove(address signer) external;

    function organisationOf(address signer) external view returns (bytes32);

    /// @notice All that were ever signers; `organisationOf` is 0 for those removed.
    function signers() external view returns (address[] memory);
    function isDone(bytes32 operation) external view returns (bool);
}
