// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cheats} from "./Cheats.sol";

/// @notice Assertions in the words of the tests; the test EVM compares and prints both sides.
abstract contract Assertions {
    /// @dev The address at which the test EVM answers cheat codes.
    Cheats internal constant vm = Cheats(address(uint160(uint256(keccak256("hevm cheat code")))));

    function fail(string memory why) internal pure {
        vm.assertTrue(false, why);
    }

    function assertTrue(bool condition) internal pure {
        vm.assertTrue(condition, "");
    }

    function assertTrue(bool condition, string memory why) internal pure {
        vm.assertTrue(condition, why);
    }

    function assertFalse(bool condition) internal pure {
        vm.assertFalse(condition, "");
    }

    function assertFalse(bool condition, string memory why) internal pure {
        vm.assertFalse(condition, why);
    }

    function assertApproxEqAbs(uint256 left, uint256 right, uint256 most) internal pure {
        vm.assertApproxEqAbs(left, right, most, "");
    }

    function assertEq(bool left, bool right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(bool left, bool right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(uint256 left, uint256 right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(uint256 left, uint256 right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(int256 left, int256 right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(int256 left, int256 right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(address left, address right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(address left, address right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(bytes32 left, bytes32 right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(bytes32 left, bytes32 right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(string memory left, string memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(string memory left, string memory right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(bytes memory left, bytes memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(bytes memory left, bytes memory right, string memory why) internal pure {
        vm.assertEq(left, right, why);
    }

    function assertEq(uint256[] memory left, uint256[] memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(uint256[] memory left, uint256[] memory right, string memory why)
        internal
        pure
    {
        vm.assertEq(left, right, why);
    }

    function assertEq(int256[] memory left, int256[] memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(int256[] memory left, int256[] memory right, string memory why)
        internal
        pure
    {
        vm.assertEq(left, right, why);
    }

    function assertEq(address[] memory left, address[] memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(address[] memory left, address[] memory right, string memory why)
        internal
        pure
    {
        vm.assertEq(left, right, why);
    }

    function assertEq(bytes32[] memory left, bytes32[] memory right) internal pure {
        vm.assertEq(left, right, "");
    }

    function assertEq(bytes32[] memory left, bytes32[] memory right, string memory why)
        internal
        pure
    {
        vm.assertEq(left, right, why);
    }

    function assertNotEq(uint256 left, uint256 right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(uint256 left, uint256 right, string memory why) internal pure {
        vm.assertNotEq(left, right, why);
    }

    function assertNotEq(address left, address right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(address left, address right, string memory why) internal pure {
        vm.assertNotEq(left, right, why);
    }

    function assertNotEq(bytes32 left, bytes32 right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(bytes32 left, bytes32 right, string memory why) internal pure {
        vm.assertNotEq(left, right, why);
    }

    function assertNotEq(bytes memory left, bytes memory right) internal pure {
        vm.assertNotEq(left, right, "");
    }

    function assertNotEq(bytes memory left, bytes memory right, string memory why) internal pure {
        vm.assertNotEq(left, right, why);
    }

    function assertLt(uint256 left, uint256 right) internal pure {
        vm.assertLt(left, right, "");
    }

    function assertLt(uint256 left, uint256 right, string memory why) internal pure {
        vm.assertLt(left, right, why);
    }

    function assertLt(int256 left, int256 right) internal pure {
        vm.assertLt(left, right, "");
    }

    function assertLt(int256 left, int256 right, string memory why) internal pure {
        vm.assertLt(left, right, why);
    }

    function assertLe(uint256 left, uint256 right) internal pure {
        vm.assertLe(left, right, "");
    }

    function assertLe(uint256 left, uint256 right, string memory why) internal pure {
        vm.assertLe(left, right, why);
    }

    function assertLe(int256 left, int256 right) internal pure {
        vm.assertLe(left, right, "");
    }

    function assertLe(int256 left, int256 right, string memory why) internal pure {
        vm.assertLe(left, right, why);
    }

    function assertGt(uint256 left, uint256 right) internal pure {
        vm.assertGt(left, right, "");
    }

    function assertGt(uint256 left, uint256 right, string memory why) internal pure {
        vm.assertGt(left, right, why);
    }

    function assertGt(int256 left, int256 right) internal pure {
        vm.assertGt(left, right, "");
    }

    function assertGt(int256 left, int256 right, string memory why) internal pure {
        vm.assertGt(left, right, why);
    }

    function assertGe(uint256 left, uint256 right) internal pure {
        vm.assertGe(left, right, "");
    }

    function assertGe(uint256 left, uint256 right, string memory why) internal pure {
        vm.assertGe(left, right, why);
    }

    function assertGe(int256 left, int256 right) internal pure {
        vm.assertGe(left, right, "");
    }

    function assertGe(int256 left, int256 right, string memory why) internal pure {
        vm.assertGe(left, right, why);
    }
}
