// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "../../src/interfaces/IAffirmation.sol";
import {EscrowTerms, IEscrow, Ruling} from "../../src/interfaces/IEscrow.sol";
import {Instruction} from "../../src/interfaces/Types.sol";

import {Market} from "../support/Market.sol";

/// @notice Deploys, and lets an error through.
contract Creator {
    function create(bytes memory creation) external {
        assembly ("memory-safe") {
            if iszero(create(0, add(creation, 0x20), mload(creation))) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}

/// @notice One contract in three parts of code: Affirmation and Escrow run on the storage of Settlement and by
/// themselves are nothing.
contract DelegationTest is Market {
    function test_refuses_every_act_that_calls_another_part_directly() external {
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
        refusesDirectly(abi.encodeCall(books.openEscrow, (none, nothing)));
        refusesDirectly(abi.encodeCall(books.withdrawFromEscrow, (none, buyer, "")));
        refusesDirectly(abi.encodeCall(books.endByCondition, (none, 0, nothing)));
        refusesDirectly(abi.encodeCall(books.endByAgreement, (none, 0, amounts, 0, nothing)));
        refusesDirectly(abi.encodeCall(books.openDispute, (none, 0, buyer, 0, 0, "")));
        refusesDirectly(abi.encodeCall(books.endByRuling, (none, 0, amounts, new Ruling[](0))));
        refusesDirectly(abi.encodeCall(books.endByDefault, (none, 0)));
        refusesDirectly(abi.encodeCall(books.payOut, (none, 0, amounts)));
        refusesDirectly(abi.encodeCall(books.giveUpPayments, (none, 0, amounts)));
        refusesDirectly(abi.encodeCall(books.whatNow, (none)));
        refusesDirectly(abi.encodeCall(books.escrowIdOf, (none)));
        refusesDirectly(abi.encodeCall(books.escrowState, (0)));
        refusesDirectly(abi.encodeCall(books.isWithdrawnFromEscrow, (0)));
        refusesDirectly(abi.encodeCall(books.isRecordedSettled, (0)));
    }

    EscrowTerms private none;
    uint128[] private amounts;

    function refusesDirectly(bytes memory call_) private {
        (bool success, bytes memory answer) = escrowCode.call(call_);
        assertFalse(success);
        assertEq(answer, abi.encodeWithSelector(IEscrow.OnlyForTheBooks.selector));
    }

    function test_refuses_a_deployment_of_which_a_part_has_no_code() external {
        refusesDeployment(stranger, escrowCode, "AffirmationHasNoCode(address)");
        refusesDeployment(half, stranger, "EscrowHasNoCode(address)");
    }

    function test_refuses_a_deployment_of_one_part_twice() external {
        bytes memory creation = abi.encodePacked(
            vm.getCode("Settlement.sol:Settlement"), abi.encode(authority, half, half)
        );
        Creator creator = new Creator();
        (bool success, bytes memory answer) =
            address(creator).call(abi.encodeCall(creator.create, (creation)));
        assertFalse(success);
        assertEq(
            answer, abi.encodeWithSelector(bytes4(keccak256("EscrowHasNoCode(address)")), half)
        );
    }

    function refusesDeployment(address half_, address escrow_, string memory error_) private {
        bytes memory creation = abi.encodePacked(
            vm.getCode("Settlement.sol:Settlement"), abi.encode(authority, half_, escrow_)
        );
        Creator creator = new Creator();
        (bool success, bytes memory answer) =
            address(creator).call(abi.encodeCall(creator.create, (creation)));
        assertFalse(success);
        assertEq(answer, abi.encodeWithSelector(bytes4(keccak256(bytes(error_))), stranger));
    }

    function test_refuses_what_no_part_answers() external {
        bytes[3] memory calls = [bytes(""), hex"aabbcc", hex"aabbccdd"];
        for (uint256 k = 0; k < calls.length; ++k) {
            (bool success, bytes memory answer) = address(books).call(calls[k]);
            assertFalse(success);
            assertEq(answer.length, 0);
        }
    }

    function test_names_the_other_parts() external view {
        assertEq(books.affirmation(), address(half));
        assertEq(books.escrow(), escrowCode);
    }

    /// @dev Immutables belong to the code, not to the storage: the domain must be that of Settlement all the
    /// same, so that one signature serves settling and affirming.
    function test_signs_one_domain_in_every_part() external {
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
