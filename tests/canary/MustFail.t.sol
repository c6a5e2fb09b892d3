// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../../contracts/test/support/Test.sol";

contract MustFail is Test {
    function test_one_is_two() public pure { assertEq(uint256(1), 2, "one is not two"); }
}
