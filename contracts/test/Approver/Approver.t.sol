// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IApprover} from "../../src/interfaces/IApprover.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Boards} from "../support/Boards.sol";

/// @notice Four eyes of two organisations.
contract ApproverTest is Boards {
    IApprover internal board;

    function setUp() public override {
        super.setUp();
        nameSigners();
        board = newBoard();
        authority.grantRole(0, address(board), 0);
    }

    function freeze() private view returns (IApprover.Operation memory) {
        return
            operationOf(address(books), abi.encodeCall(books.freezeAccount, (seller, true, "TEST")));
    }

    function refuse(
        IApprover.Operation memory operation,
        address first,
        address second,
        bytes memory error_
    ) private {
        (bool success, bytes memory answer) = perform(board, operation, first, second);
        assertFalse(success);
        assertEq(answer, error_);
        assertFalse(books.accountOf(seller).frozen);
    }

    // ---------------------------------------------------------------- a board that is none

    function refuseBoard(address[] memory signers, bytes32[] memory organisations) private {
        (bool success,) =
            address(this).call(abi.encodeCall(this.tryBoard, (signers, organisations)));
        assertFalse(success);
    }

    function tryBoard(address[] calldata signers, bytes32[] calldata organisations) external {
        newBoard(signers, organisations);
    }

    function test_refuses_a_board_that_is_not_of_two_organisations() external {
        address[] memory signers = new address[](2);
        bytes32[] memory organisations = new bytes32[](2);
        (signers[0], signers[1]) = (ann, bob);
        (organisations[0], organisations[1]) = (BANK, BANK);
        refuseBoard(signers, organisations);
        organisations[1] = 0;
        refuseBoard(signers, organisations);
        organisations[1] = REGULATOR;
        this.tryBoard(signers, organisations);
        signers[1] = ann;
        refuseBoard(signers, organisations);
        signers[1] = address(0);
        refuseBoard(signers, organisations);
        refuseBoard(signers, new bytes32[](3));
        refuseBoard(new address[](0), new bytes32[](0));
    }

    function test_refuses_more_signers_than_the_bound() external {
        address[] memory signers = new address[](33);
        bytes32[] memory organisations = new bytes32[](33);
        for (uint160 k = 0; k < 33; ++k) {
            signers[k] = address(k + 1);
            organisations[k] = bytes32(uint256(k % 2 + 1));
        }
        refuseBoard(signers, organisations);
        assembly ("memory-safe") {
            mstore(signers, 32)
            mstore(organisations, 32)
        }
        this.tryBoard(signers, organisations);
    }

    // ---------------------------------------------------------------- execute

    function test_refuses_from_validBy_on_and_a_validity_too_long() external {
        IApprover.Operation memory one = freeze();
        one.validBy = OPENS;
        bytes4 error_ = IApprover.OperationExpired.selector;
        refuse(one, ann, bob, abi.encodeWithSelector(error_, OPENS, OPENS));
        one.validBy = uint64(NOON + 30 days + 1);
        error_ = IApprover.ValidityTooLong.selector;
        refuse(one, ann, bob, abi.encodeWithSelector(error_, one.validBy, NOON + 30 days));
        one.validBy -= 1;
        (bool success,) = perform(board, one, ann, bob);
        assertTrue(success);
    }

    function test_refuses_two_signatures_of_one_organisation_or_of_one_key() external {
        bytes4 error_ = IApprover.SignersNotOfTwoOrganisations.selector;
        refuse(freeze(), ann, amy, abi.encodeWithSelector(error_, ann, amy));
        refuse(freeze(), ann, ann, abi.encodeWithSelector(error_, ann, ann));
        refuse(freeze(), bob, ben, abi.encodeWithSelector(error_, bob, ben));
        refuse(freeze(), ann, stranger, abi.encodeWithSelector(error_, ann, stranger));
        refuse(freeze(), stranger, bob, abi.encodeWithSelector(error_, stranger, bob));
    }

    function test_refuses_signatures_that_are_none_or_malleable() external {
        IApprover.Operation memory one = freeze();
        bytes memory good = signatureBy(bob, operationId(board, one));
        bytes memory call_ = abi.encodeCall(board.execute, (one, "", good));
        (bool success,) = address(board).call(call_);
        assertFalse(success);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyFor[ann], operationId(board, one));
        bytes32 high = bytes32(SECP256K1_ORDER - uint256(s));
        bytes memory turned = abi.encodePacked(r, high, v == 27 ? uint8(28) : uint8(27));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
        board.execute(one, turned, good);
    }

    function testFuzz_refuses_an_operation_of_which_one_field_is_other(uint256 field) external {
        IApprover.Operation memory one = freeze();
        bytes32 id = operationId(board, one);
        bytes memory first = signatureBy(ann, id);
        bytes memory second = signatureBy(bob, id);
        field %= 6;
        if (field == 0) one.target = address(authority);
        if (field == 1) one.data = abi.encodeCall(books.freezeAccount, (buyer, true, "TEST"));
        if (field == 2) one.reason = "ELSE";
        if (field == 3) one.evidence = "other file";
        if (field == 4) one.nonce = 2;
        if (field == 5) one.validBy += 1;
        (bool success,) = address(board).call(abi.encodeCall(board.execute, (one, first, second)));
        assertFalse(success);
    }

    /// @dev What two boards of the same people sign is not the same.
    function test_refuses_what_was_signed_for_another_board_or_chain() external {
        IApprover.Operation memory one = freeze();
        IApprover other = newBoard();
        bytes32 id = operationId(other, one);
        bytes memory first = signatureBy(ann, id);
        bytes memory second = signatureBy(bob, id);
        (bool success,) = address(board).call(abi.encodeCall(board.execute, (one, first, second)));
        assertFalse(success);
        id = operationId(board, one);
        first = signatureBy(ann, id);
        second = signatureBy(bob, id);
        vm.chainId(block.chainid + 1);
        (success,) = address(board).call(abi.encodeCall(board.execute, (one, first, second)));
        assertFalse(success);
    }

    function test_performs_once() external {
        IApprover.Operation memory one = freeze();
        bytes32 id = operationId(board, one);
        bytes memory second = signatureBy(bob, id);
        vm.expectEmit(address(board));
        emit IApprover.Approved(
            id, address(books), books.freezeAccount.selector, "TEST", "file", bob, ann
        );
        board.execute(one, second, signatureBy(ann, id));
        assertTrue(books.accountOf(seller).frozen);
        assertTrue(board.isDone(id));
        books.freezeAccount(seller, false, "TEST");
        refuse(one, ann, bob, abi.encodeWithSelector(IApprover.OperationDone.selector, id));
        refuse(one, bob, ann, abi.encodeWithSelector(IApprover.OperationDone.selector, id));
        refuse(one, amy, ben, abi.encodeWithSelector(IApprover.OperationDone.selector, id));
    }

    function test_fails_with_the_error_of_the_call_and_may_be_tried_again() external {
        IApprover.Operation memory one =
            operationOf(address(books), abi.encodeCall(books.issue, (9, seller, 5, "ref")));
        refuse(one, ann, bob, abi.encodeWithSelector(ILedger.AssetUnknown.selector, 9));
        assertFalse(board.isDone(operationId(board, one)));
    }

    function test_refuses_a_target_without_code() external {
        (bool success,) = perform(board, operationOf(stranger, ""), ann, bob);
        assertFalse(success);
    }

    function test_gives_what_the_call_gave() external {
        IApprover.Operation memory one =
            operationOf(address(books), abi.encodeCall(books.assetCount, ()));
        (bool success, bytes memory answer) = perform(board, one, ann, bob);
        assertTrue(success);
        assertEq(abi.decode(abi.decode(answer, (bytes)), (uint256)), 4);
    }

    // ---------------------------------------------------------------- revoke

    function test_revokes_at_once_what_was_signed_and_is_not_done() external {
        IApprover.Operation memory one = freeze();
        bytes32 id = operationId(board, one);
        vm.prank(ben);
        board.revoke(id);
        refuse(one, ann, bob, abi.encodeWithSelector(IApprover.OperationDone.selector, id));
    }

    function test_refuses_to_revoke_for_who_is_no_signer_and_what_is_done() external {
        IApprover.Operation memory one = freeze();
        bytes32 id = operationId(board, one);
        vm.expectRevert(abi.encodeWithSelector(IApprover.NotASigner.selector, stranger));
        vm.prank(stranger);
        board.revoke(id);
        perform(board, one, ann, bob);
        vm.expectRevert(abi.encodeWithSelector(IApprover.OperationDone.selector, id));
        vm.prank(ann);
        board.revoke(id);
    }

    // ---------------------------------------------------------------- remove

    function test_refuses_to_remove_for_another_organisation_and_strangers() external {
        address[2] memory callers = [bob, stranger];
        for (uint256 k = 0; k < 2; ++k) {
            bytes4 error_ = IApprover.NotOfTheOrganisation.selector;
            vm.expectRevert(abi.encodeWithSelector(error_, ann, callers[k]));
            vm.prank(callers[k]);
            board.remove(ann);
        }
        bytes4 error_2 = IApprover.NotOfTheOrganisation.selector;
        vm.expectRevert(abi.encodeWithSelector(error_2, stranger, stranger));
        vm.prank(stranger);
        board.remove(stranger);
    }

    function test_removes_a_signer_at_once_also_from_what_it_signed_before() external {
        IApprover.Operation memory one = freeze();
        vm.expectEmit(address(board));
        emit IApprover.SignerRemoved(ann, BANK, amy);
        vm.prank(amy);
        board.remove(ann);
        bytes4 error_ = IApprover.SignersNotOfTwoOrganisations.selector;
        refuse(one, ann, bob, abi.encodeWithSelector(error_, ann, bob));
        vm.expectRevert(abi.encodeWithSelector(IApprover.NotOfTheOrganisation.selector, amy, ann));
        vm.prank(ann);
        board.remove(amy);
        (bool success,) = perform(board, one, amy, bob);
        assertTrue(success, "the others go on");
    }

    function test_tells_who_signs_for_whom() external {
        vm.prank(ann);
        board.remove(ann);
        assertEq(board.organisationOf(ann), 0);
        assertEq(board.organisationOf(amy), BANK);
        assertEq(board.organisationOf(stranger), 0);
        assertEq(board.signers().length, 4, "all that ever were");
    }
}
