// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The cheat codes of Foundry's test EVM that the tests of this project use.
/// @dev They live at one address, which only that EVM answers. Signatures are fixed by the tool.
interface Cheats {
    enum CallerMode {
        None,
        Broadcast,
        RecurrentBroadcast,
        Prank,
        RecurrentPrank
    }

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    /// @dev Figures of the last call; in isolation they are those of a whole transaction.
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    // ---------------------------------------------------------------- who calls

    function prank(address caller) external;
    function prank(address caller, address origin) external;
    function startPrank(address caller) external;
    function startPrank(address caller, address origin) external;
    function stopPrank() external;
    function readCallers() external returns (CallerMode mode, address caller, address origin);

    // ---------------------------------------------------------------- time and chain

    function warp(uint256 timestamp) external;
    function roll(uint256 number) external;
    function fee(uint256 baseFee) external;
    function chainId(uint256 id) external;
    function getBlockTimestamp() external view returns (uint256);
    function getBlockNumber() external view returns (uint256);

    // ---------------------------------------------------------------- keys and names

    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function signCompact(uint256 key, bytes32 digest) external pure returns (bytes32 r, bytes32 vs);
    function label(address account, string calldata name) external;
    function getLabel(address account) external view returns (string memory);

    // ---------------------------------------------------------------- state

    function deal(address account, uint256 wei_) external;
    function etch(address account, bytes calldata code) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    function getNonce(address account) external view returns (uint64);
    function setNonce(address account, uint64 nonce) external;
    function snapshotState() external returns (uint256 id);
    function revertToState(uint256 id) external returns (bool);
    function revertToStateAndDelete(uint256 id) external returns (bool);
    function deleteStateSnapshot(uint256 id) external returns (bool);
    function record() external;
    function accesses(address account)
        external
        view
        returns (bytes32[] memory reads, bytes32[] memory writes);
    function cool(address account) external;
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function computeCreate2Address(bytes32 salt, bytes32 codeHash, address deployer)
        external
        pure
        returns (address);
    function getCode(string calldata artifact) external view returns (bytes memory);
    function getDeployedCode(string calldata artifact) external view returns (bytes memory);
    function deployCode(string calldata artifact) external returns (address);
    function deployCode(string calldata artifact, bytes calldata arguments)
        external
        returns (address);

    // ---------------------------------------------------------------- what must happen next

    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert(address reverter) external;
    function expectRevert(bytes4 selector, address reverter) external;
    function expectRevert(bytes calldata data, address reverter) external;
    function expectRevert(uint64 count) external;
    function expectRevert(bytes4 selector, uint64 count) external;
    function expectRevert(bytes calldata data, uint64 count) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectPartialRevert(bytes4 selector, address reverter) external;

    function expectEmit() external;
    function expectEmit(address emitter) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectEmit(uint64 count) external;
    function expectEmit(address emitter, uint64 count) external;

    function expectCall(address callee, bytes calldata data) external;
    function expectCall(address callee, bytes calldata data, uint64 count) external;
    function expectCall(address callee, uint256 value, bytes calldata data) external;

    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function mockCallRevert(address callee, bytes calldata data, bytes calldata reason) external;
    function clearMockedCalls() external;

    function assume(bool condition) external pure;
    function assumeNoRevert() external pure;
    function skip(bool skipTest, string calldata reason) external;

    // ---------------------------------------------------------------- what happened

    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function lastCallGas() external view returns (Gas memory);
    function snapshotGasLastCall(string calldata group, string calldata name)
        external
        returns (uint256 gasUsed);
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function startSnapshotGas(string calldata group, string calldata name) external;
    function stopSnapshotGas() external returns (uint256 gasUsed);
    function pauseGasMetering() external;
    function resumeGasMetering() external;

    // ---------------------------------------------------------------- files and environment

    function projectRoot() external view returns (string memory);
    function exists(string calldata path) external view returns (bool);
    function readFile(string calldata path) external view returns (string memory);
    function readLine(string calldata path) external view returns (string memory);
    function writeFile(string calldata path, string calldata text) external;
    function writeLine(string calldata path, string calldata text) external;
    function removeFile(string calldata path) external;
    function envOr(string calldata name, bool fallback_) external view returns (bool);
    function envOr(string calldata name, uint256 fallback_) external view returns (uint256);
    function envOr(string calldata name, string calldata fallback_)
        external
        view
        returns (string memory);

    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
    function parseJson(string calldata json) external pure returns (bytes memory);
    function parseJson(string calldata json, string calldata key)
        external
        pure
        returns (bytes memory);
    function parseJsonUint(string calldata json, string calldata key)
        external
        pure
        returns (uint256);
    function parseJsonUintArray(string calldata json, string calldata key)
        external
        pure
        returns (uint256[] memory);
    function parseJsonInt(string calldata json, string calldata key) external pure returns (int256);
    function parseJsonBool(string calldata json, string calldata key) external pure returns (bool);
    function parseJsonAddress(string calldata json, string calldata key)
        external
        pure
        returns (address);
    function parseJsonAddressArray(string calldata json, string calldata key)
        external
        pure
        returns (address[] memory);
    function parseJsonString(string calldata json, string calldata key)
        external
        pure
        returns (string memory);
    function parseJsonStringArray(string calldata json, string calldata key)
        external
        pure
        returns (string[] memory);
    function parseJsonBytes(string calldata json, string calldata key)
        external
        pure
        returns (bytes memory);
    function parseJsonBytesArray(string calldata json, string calldata key)
        external
        pure
        returns (bytes[] memory);
    function parseJsonBytes32(string calldata json, string calldata key)
        external
        pure
        returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key)
        external
        pure
        returns (bytes32[] memory);

    function toString(address value) external pure returns (string memory);
    function toString(bytes calldata value) external pure returns (string memory);
    function toString(bytes32 value) external pure returns (string memory);
    function toString(bool value) external pure returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
    function toString(int256 value) external pure returns (string memory);
    function parseUint(string calldata text) external pure returns (uint256);

    // ---------------------------------------------------------------- assertions

    function assertTrue(bool condition, string calldata why) external pure;
    function assertFalse(bool condition, string calldata why) external pure;
    function assertEq(bool left, bool right, string calldata why) external pure;
    function assertEq(uint256 left, uint256 right, string calldata why) external pure;
    function assertEq(int256 left, int256 right, string calldata why) external pure;
    function assertEq(address left, address right, string calldata why) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata why) external pure;
    function assertEq(string calldata left, string calldata right, string calldata why)
        external
        pure;
    function assertEq(bytes calldata left, bytes calldata right, string calldata why) external pure;
    function assertEq(uint256[] calldata left, uint256[] calldata right, string calldata why)
        external
        pure;
    function assertEq(int256[] calldata left, int256[] calldata right, string calldata why)
        external
        pure;
    function assertEq(address[] calldata left, address[] calldata right, string calldata why)
        external
        pure;
    function assertEq(bytes32[] calldata left, bytes32[] calldata right, string calldata why)
        external
        pure;
    function assertNotEq(uint256 left, uint256 right, string calldata why) external pure;
    function assertNotEq(address left, address right, string calldata why) external pure;
    function assertNotEq(bytes32 left, bytes32 right, string calldata why) external pure;
    function assertNotEq(bytes calldata left, bytes calldata right, string calldata why)
        external
        pure;
    function assertLt(uint256 left, uint256 right, string calldata why) external pure;
    function assertLe(uint256 left, uint256 right, string calldata why) external pure;
    function assertGt(uint256 left, uint256 right, string calldata why) external pure;
    function assertGe(uint256 left, uint256 right, string calldata why) external pure;
    function assertLt(int256 left, int256 right, string calldata why) external pure;
    function assertLe(int256 left, int256 right, string calldata why) external pure;
    function assertGt(int256 left, int256 right, string calldata why) external pure;
    function assertGe(int256 left, int256 right, string calldata why) external pure;
    function assertApproxEqAbs(uint256 left, uint256 right, uint256 most, string calldata why)
        external
        pure;
}
