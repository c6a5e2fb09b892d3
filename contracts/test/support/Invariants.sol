// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Tells the invariant runner whom to call, as whom, and what to leave alone.
/// @dev The runner reads the public views below by name; a test fills them in its setUp.
abstract contract Invariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    struct FuzzArtifactSelector {
        string artifact;
        bytes4[] selectors;
    }

    struct FuzzInterface {
        address addr;
        string[] artifacts;
    }

    /// @dev The runner recognises a test contract by this.
    bool public constant IS_TEST = true;

    address[] private _targetContracts;
    address[] private _targetSenders;
    address[] private _excludedContracts;
    address[] private _excludedSenders;
    FuzzSelector[] private _targetSelectors;
    FuzzSelector[] private _excludedSelectors;

    // ---------------------------------------------------------------- for setUp

    /// @notice Calls this contract, and after the first such call only those that were named.
    function targetContract(address target) internal {
        _targetContracts.push(target);
    }

    /// @notice Calls only these functions of a contract.
    function targetSelectors(address target, bytes4[] memory selectors) internal {
        _targetSelectors.push(FuzzSelector(target, selectors));
    }

    /// @notice Sends as this account, and after the first such call only as those that were named.
    function targetSender(address sender) internal {
        _targetSenders.push(sender);
    }

    function excludeContract(address target) internal {
        _excludedContracts.push(target);
    }

    function excludeSelectors(address target, bytes4[] memory selectors) internal {
        _excludedSelectors.push(FuzzSelector(target, selectors));
    }

    function excludeSender(address sender) internal {
        _excludedSenders.push(sender);
    }

    // ---------------------------------------------------------------- read by the runner

    function targetContracts() public view returns (address[] memory) {
        return _targetContracts;
    }

    function targetSenders() public view returns (address[] memory) {
        return _targetSenders;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory) {
        return _targetSelectors;
    }

    function excludeContracts() public view returns (address[] memory) {
        return _excludedContracts;
    }

    function excludeSenders() public view returns (address[] memory) {
        return _excludedSenders;
    }

    function excludeSelectors() public view returns (FuzzSelector[] memory) {
        return _excludedSelectors;
    }

    function targetArtifacts() public pure returns (string[] memory none) {}

    function excludeArtifacts() public pure returns (string[] memory none) {}

    function targetArtifactSelectors() public pure returns (FuzzArtifactSelector[] memory none) {}

    function targetInterfaces() public pure returns (FuzzInterface[] memory none) {}
}
