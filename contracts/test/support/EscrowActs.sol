// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    EscrowTerms,
    IEscrow,
    MilestoneNow,
    Outcome,
    Ruling
} from "../../src/interfaces/IEscrow.sol";
import {EscrowWorld} from "./EscrowWorld.sol";

/// @notice Acts on escrows, all sent by a stranger, and what they must be refused with.
abstract contract EscrowActs is EscrowWorld {
    // ---------------------------------------------------------------- acts

    function open(EscrowTerms memory escrow) internal returns (bytes32 id) {
        bytes[] memory signatures = consents(escrow);
        id = idOf(escrow);
        vm.prank(stranger);
        books.openEscrow(escrow, signatures);
    }

    function deliver(EscrowTerms memory escrow) internal {
        bytes[] memory evidence = proof(escrow);
        vm.prank(stranger);
        books.endByCondition(escrow, 0, evidence);
    }

    function agree(EscrowTerms memory escrow, uint256 milestone, uint128[] memory paid) internal {
        address[] memory accounts = partiesOf(escrow, 2 ** milestone);
        bytes[] memory list = splits(idOf(escrow), milestone, accounts, paid);
        vm.prank(stranger);
        books.endByAgreement(escrow, milestone, paid, type(uint64).max, list);
    }

    function dispute(EscrowTerms memory escrow, uint256 milestone, address account) internal {
        bytes memory call_ = disputing(escrow, milestone, account);
        vm.prank(stranger);
        (bool success, bytes memory answer) = address(books).call(call_);
        assertEq(answer, "", "the dispute is opened");
        assertTrue(success);
    }

    function disputing(EscrowTerms memory escrow, uint256 milestone, address account)
        internal
        view
        returns (bytes memory)
    {
        bytes memory signature = disputeBy(idOf(escrow), milestone, account, type(uint64).max);
        return abi.encodeCall(
            books.openDispute,
            (escrow, milestone, account, keccak256("file"), type(uint64).max, signature)
        );
    }

    function rule(EscrowTerms memory escrow, uint256 milestone, uint128[] memory paid) internal {
        Ruling[] memory list = rulings(idOf(escrow), milestone, 0, 2, paid);
        vm.prank(stranger);
        books.endByRuling(escrow, milestone, paid, list);
    }

    function ruleAlone(EscrowTerms memory escrow, uint256 milestone, uint128[] memory paid)
        internal
    {
        Ruling[] memory list = new Ruling[](1);
        list[0] = rulingBy(idOf(escrow), milestone, FALLBACK, paid);
        vm.prank(stranger);
        books.endByRuling(escrow, milestone, paid, list);
    }

    function lapse(EscrowTerms memory escrow, uint256 milestone) internal {
        vm.prank(stranger);
        books.endByDefault(escrow, milestone);
    }

    // ---------------------------------------------------------------- refusals

    function refusesToOpen(EscrowTerms memory escrow, bytes memory error_) internal {
        bytes[] memory signatures = consents(escrow);
        assertReverts(stranger, abi.encodeCall(books.openEscrow, (escrow, signatures)), error_);
    }

    function refusesToEnd(EscrowTerms memory escrow, bytes[] memory evidence, bytes memory error_)
        internal
    {
        assertReverts(stranger, abi.encodeCall(books.endByCondition, (escrow, 0, evidence)), error_);
    }

    function refusesProof(EscrowTerms memory escrow, bytes memory evidence, bytes memory error_)
        internal
    {
        refusesToEnd(escrow, listed(evidence), error_);
    }

    function isNotMet(EscrowTerms memory escrow, bytes[] memory evidence) internal {
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.ConditionNotMet.selector, idOf(escrow), 0);
        refusesToEnd(escrow, evidence, error_);
    }

    function hasEnded(bytes32 id, uint256 milestone) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.MilestoneHasEnded.selector, id, milestone);
    }

    // ---------------------------------------------------------------- reads

    function nowOf(EscrowTerms memory escrow, uint256 milestone)
        internal
        view
        returns (MilestoneNow memory)
    {
        return books.whatNow(escrow)[milestone];
    }

    function outcomeOf(EscrowTerms memory escrow, uint256 milestone)
        internal
        view
        returns (Outcome)
    {
        return nowOf(escrow, milestone).outcome;
    }

    function assertOutcome(EscrowTerms memory escrow, uint256 milestone, Outcome outcome)
        internal
        view
    {
        assertEq(uint256(outcomeOf(escrow, milestone)), uint256(outcome), "outcome");
    }
}
