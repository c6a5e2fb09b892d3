// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "../../src/interfaces/IAffirmation.sol";
import {Instruction} from "../../src/interfaces/Types.sol";

import {Market} from "../support/Market.sol";

/// @notice One contract in two halves of code: Affirmation runs on the storage of Settlement and by itself is
/// nothing.
contract DelegationTest is Market {
    function test_refuses_every_act_that_calls_the_other_half_directly() external {
        Instruction memory one = dvp(1);
        bytes[6] memory calls = [
            abi.encodeCall(books.affirm, (one, new bytes[](2))),
            abi.encodeCall(books.reserve, (one, seller, true, "")),
            abi.encodeCall(books.release, (one, seller, "")),
            abi.encodeCall(books.withdraw, (one, buyer, "")),
            abi.encodeCall(books.cancel, (one, CLOSES, new bytes[](1))),
            abi.encodeCall(books.cancel, (one, CLOSES, cancellationsOf(one)))
        ];
        for (uint256 k = 0; k < calls.length; ++k) {
            vm.prank(k == 3 ? buyer : seller);
            (bool success, bytes memory answer) = address(half).call(calls[k]);
            assertFalse(success);
            assertEq(answer, abi.encodeWithSelector(IAffirmation.OnlyForSettlement.selector));
        }
    }

    function test_refuses_a_deployment_whose_other_half_has_no_code() external {
        (bool success, bytes memory answer) =
            address(this).call(abi.encodeCall(this.deployWith, (address(authority), stranger)));
        assertFalse(success);
        answer;
    }

    function deployWith(address authority_, address half_) external returns (address) {
        return vm.deployCode("Settlement.sol:Settlement", abi.encode(authority_, half_));
    }

    function test_names_the_other_half() external view {
        assertEq(books.affirmation(), address(half));
    }

    /// @dev Immutables belong to the code, not to the storage: the domain must be that of Settlement all the
    /// same, so that one signature serves settling and affirming.
    function test_signs_one_domain_in_both_halves() external {
        Instruction memory one = dvp(1);
        vm.expectEmit(true, true, true, true, address(books));
        emit IAffirmation.InstructionAffirmed(books.idOf(one), seller, 1, 3, 2);
        books.affirm(one, signed(one));
        bytes32 slots = vm.load(address(half), bytes32(uint256(0)));
        assertEq(
            address(uint160(uint256(slots))), address(authority), "nothing else is written there"
        );
    }

    /// @dev The other half never sees value and holds no right.
    function test_writes_nothing_into_its_own_storage() external {
        fund();
        Instruction memory one = dvp(1);
        bytes[] memory all = signed(one);
        vm.record();
        books.affirm(one, all);
        vm.startPrank(seller);
        books.reserve(one, seller, false, "");
        books.release(one, seller, "");
        vm.stopPrank();
        books.cancel(one, CLOSES, cancellationsOf(one));
        (, bytes32[] memory writes) = vm.accesses(address(half));
        assertEq(writes.length, 0);
        (, writes) = vm.accesses(address(books));
        assertGt(writes.length, 0);
    }

    function test_takes_no_ether() external {
        vm.deal(address(this), 1);
        (bool success,) =
            address(books).call{value: 1}(abi.encodeCall(books.affirm, (dvp(1), nothing)));
        assertFalse(success);
        (success,) = address(books).call{value: 1}("");
        assertFalse(success);
    }
}
