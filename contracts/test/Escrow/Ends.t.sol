// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EndedBy, EscrowTerms, IEscrow, Outcome} from "../../src/interfaces/IEscrow.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {EscrowActs} from "../support/EscrowActs.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Ends by condition, by agreement and by default; and who takes a signature back before it counts.
contract EndsTest is EscrowActs {
    function bad(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILedger.SignatureInvalid.selector, account);
    }

    function over(uint256 deadline) private view returns (bytes memory) {
        uint256 now_ = vm.getBlockTimestamp();
        return abi.encodeWithSelector(ILedger.DeadlinePassed.selector, deadline, now_);
    }

    function agreeing(EscrowTerms memory escrow, uint128[] memory paid, bytes[] memory list)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(books.endByAgreement, (escrow, 0, paid, type(uint64).max, list));
    }

    // ---------------------------------------------------------------- refusals of any act

    function acts(EscrowTerms memory escrow, uint256 m) private view returns (bytes[7] memory) {
        return [
            abi.encodeCall(books.endByCondition, (escrow, m, nothing)),
            abi.encodeCall(books.endByAgreement, (escrow, m, paying(1), 0, nothing)),
            abi.encodeCall(books.openDispute, (escrow, m, buyer, 0, 0, "")),
            abi.encodeWithSelector(books.endByRuling.selector, escrow, m, paying(1), nothing),
            abi.encodeCall(books.endByDefault, (escrow, m)),
            abi.encodeCall(books.payOut, (escrow, m, paying(1))),
            abi.encodeCall(books.giveUpPayments, (escrow, m, paying(1)))
        ];
    }

    /// @dev Theft: a word on chain that is not empty is not yet an open escrow.
    function test_refuses_every_act_on_terms_that_are_not_open() external {
        EscrowTerms memory escrow = delivery();
        bytes memory error_ = abi.encodeWithSelector(IEscrow.EscrowUnknown.selector, idOf(escrow));
        for (uint256 round = 0; round < 2; ++round) {
            for (uint256 k = 0; k < 7; ++k) {
                assertReverts(buyer, acts(escrow, 0)[k], error_);
            }
            // The same when somebody withdrew, for ever.
            vm.warp(DEADLINE);
            if (round == 1) continue;
            vm.prank(seller);
            books.withdrawFromEscrow(escrow, seller, "");
        }
        escrow = delivery();
        escrow.salt = "open";
        vm.warp(NOON);
        open(escrow);
        escrow.lines[0].beneficiary = stranger;
        error_ = abi.encodeWithSelector(IEscrow.EscrowUnknown.selector, idOf(escrow));
        assertReverts(stranger, acts(escrow, 0)[4], error_);
    }

    function test_refuses_every_act_on_a_milestone_that_is_not_there() external {
        EscrowTerms memory escrow = delivery();
        open(escrow);
        vm.warp(DEADLINE);
        uint256[3] memory numbers = [uint256(1), 8, type(uint256).max];
        for (uint256 n = 0; n < 3; ++n) {
            bytes memory error_ =
                abi.encodeWithSelector(IEscrow.MilestoneUnknown.selector, numbers[n]);
            for (uint256 k = 0; k < 7; ++k) {
                assertReverts(buyer, acts(escrow, numbers[n])[k], error_);
            }
        }
    }

    // ---------------------------------------------------------------- by condition

    function test_ends_by_condition_until_the_second_before_the_deadline() external {
        EscrowTerms memory escrow = delivery();
        bytes32 id = open(escrow);
        bytes[] memory evidence = proof(escrow);
        vm.warp(DEADLINE);
        refusesToEnd(escrow, evidence, over(DEADLINE));
        vm.warp(DEADLINE - 1);
        vm.expectEmit(address(books));
        emit IEscrow.MilestoneEnded(id, 0, EndedBy.Condition, Outcome.Released, false, paying(SUM));
        vm.expectEmit(address(books));
        emit IEscrow.LinePaid(id, 0, EURO, buyer, seller, SUM, 100_000 - SUM, SUM);
        vm.prank(stranger);
        books.endByCondition(escrow, 0, evidence);
        assertHolds(buyer, EURO, 100_000 - SUM, 0);
        assertHolds(seller, EURO, SUM, 0);
    }

    /// @dev Law L1: all lines of the milestone, and none of another.
    function test_moves_the_lines_of_its_milestone_together_and_no_others() external {
        bytes memory program = abi.encodePacked(
            signedBy(third, DELIVERED), signedBy(third, DELIVERED), signedBy(third, DELIVERED)
        );
        EscrowTerms memory escrow = escrowOf(2, program);
        escrow.deadlines = new uint64[](3);
        escrow.lines[1] = lineOf(1, BOND, seller, buyer, 60);
        addLine(escrow, lineOf(1, DOLLAR, agent, seller, 70));
        addLine(escrow, lineOf(2, DOLLAR, agent, buyer, 80));
        escrow.lines[1].ifMet = 40;
        for (uint256 m = 0; m < 3; ++m) {
            escrow.deadlines[m] = DEADLINE;
        }
        bytes32 id = open(escrow);
        bytes memory evidence = attested(id, 1, third, uint64(NOON));
        books.endByCondition(escrow, 1, listed(evidence));
        assertHolds(seller, BOND, 100_000 - 40, 0);
        assertHolds(buyer, BOND, 40, 0);
        assertHolds(agent, DOLLAR, 100_000 - 150, 80);
        assertHolds(seller, DOLLAR, 70, 0);
        assertHolds(buyer, EURO, 100_000 - SUM, SUM);
        (, uint32 outcomes,) = books.escrowState(id);
        assertEq(outcomes, uint256(Outcome.Split) << 3);
    }

    /// @dev Law L5: nobody's standing keeps value from going where it belongs.
    function test_pays_a_frozen_and_suspended_receiver_into_its_own_account() external {
        EscrowTerms memory escrow = delivery();
        open(escrow);
        books.freezeAccount(seller, true, "TEST");
        vm.etch(address(authority), "");
        deliver(escrow);
        assertHolds(seller, EURO, SUM, 0);
    }

    // ---------------------------------------------------------------- by default

    function test_ends_by_default_from_the_deadline_on_by_anybody() external {
        EscrowTerms memory escrow = delivery();
        escrow.lines[0].byDefault = 250;
        bytes32 id = open(escrow);
        vm.warp(DEADLINE - 1);
        bytes memory error_ =
            abi.encodeWithSelector(IEscrow.TooEarlyForDefault.selector, DEADLINE, DEADLINE - 1);
        assertReverts(seller, abi.encodeCall(books.endByDefault, (escrow, 0)), error_);
        vm.warp(DEADLINE);
        vm.expectEmit(address(books));
        emit IEscrow.MilestoneEnded(id, 0, EndedBy.Default, Outcome.Split, false, paying(250));
        lapse(escrow, 0);
        assertHolds(seller, EURO, 250, 0);
        assertHolds(buyer, EURO, 100_000 - 250, 0);
    }

    // ---------------------------------------------------------------- by agreement

    function testFuzz_pays_any_split_that_all_agree_to(uint128 first, uint128 second) external {
        first = uint128(bound(first, 0, SUM));
        second = uint128(bound(second, 0, 30));
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, BOND, seller, buyer, 30));
        open(escrow);
        vm.warp(DEADLINE + 365 days);
        agree(escrow, 0, paying(first, second));
        assertHolds(buyer, EURO, 100_000 - first, 0);
        assertHolds(seller, EURO, first, 0);
        assertHolds(seller, BOND, 100_000 - second, 0);
        assertHolds(buyer, BOND, second, 0);
        bool none = first == 0 && second == 0;
        bool all = first == SUM && second == 30;
        Outcome outcome = none ? Outcome.Refunded : all ? Outcome.Released : Outcome.Split;
        assertOutcome(escrow, 0, outcome);
    }

    function test_refuses_a_split_that_does_not_sum_or_has_other_lines() external {
        EscrowTerms memory escrow = delivery();
        addLine(escrow, lineOf(0, BOND, seller, buyer, 30));
        open(escrow);
        bytes memory call_ = agreeing(escrow, paying(0, 31), new bytes[](2));
        bytes4 sum = IEscrow.SplitDoesNotSum.selector;
        assertReverts(seller, call_, abi.encodeWithSelector(sum, 1, 31, 30));
        call_ = agreeing(escrow, paying(type(uint128).max, 0), new bytes[](2));
        assertReverts(seller, call_, abi.encodeWithSelector(sum, 0, type(uint128).max, SUM));
        bytes memory error_ = abi.encodeWithSelector(IEscrow.PaidListInvalid.selector, 1, 2);
        assertReverts(seller, agreeing(escrow, paying(1), new bytes[](2)), error_);
    }

    /// @dev Law L3. An empty place counts for the caller alone.
    function test_refuses_an_agreement_without_everybodys_own_signature() external {
        EscrowTerms memory escrow = delivery();
        bytes32 id = open(escrow);
        address[] memory both = partiesOf(escrow, 1);
        bytes[] memory list = splits(id, 0, both, paying(SUM));
        bytes memory missing = abi.encodeWithSelector(IEscrow.SignaturesMissing.selector, 1, 2);
        assertReverts(seller, agreeing(escrow, paying(SUM), listed(list[0])), missing);
        assertReverts(seller, agreeing(escrow, paying(SUM), listed("", list[1])), bad(buyer));
        assertReverts(seller, agreeing(escrow, paying(SUM), listed(list[1], list[1])), bad(buyer));
        assertReverts(seller, agreeing(escrow, paying(1), list), bad(buyer));
        list = splits(id, 1, both, paying(SUM));
        assertReverts(seller, agreeing(escrow, paying(SUM), list), bad(buyer));
        list = splits(bytes32(uint256(id) + 1), 0, both, paying(SUM));
        assertReverts(seller, agreeing(escrow, paying(SUM), list), bad(buyer));
        list = splits(id, 0, both, paying(SUM));
        vm.prank(buyer);
        books.endByAgreement(escrow, 0, paying(SUM), type(uint64).max, listed("", list[1]));
    }

    function test_refuses_an_agreement_from_validBy_on() external {
        EscrowTerms memory escrow = delivery();
        bytes32 id = open(escrow);
        uint64 validBy = uint64(NOON + 60);
        bytes[] memory list = listed(
            splitBy(id, 0, buyer, paying(9), validBy), splitBy(id, 0, seller, paying(9), validBy)
        );
        // Valid for longer is another message.
        assertReverts(seller, agreeing(escrow, paying(9), list), bad(buyer));
        vm.warp(validBy);
        bytes memory call_ =
            abi.encodeCall(books.endByAgreement, (escrow, 0, paying(9), validBy, list));
        assertReverts(seller, call_, over(validBy));
        vm.warp(validBy - 1);
        books.endByAgreement(escrow, 0, paying(9), validBy, list);
    }

    /// @dev Theft: two agree on a milestone whose outcome moves a third one's value.
    function test_refuses_an_agreement_without_those_whose_milestones_hang_on_it() external {
        bytes memory program = abi.encodePacked(NEVER, outcomeIs(0, 1), outcomeIs(1, 1), NEVER);
        EscrowTerms memory escrow = escrowOf(4, program);
        escrow.lines[2] = lineOf(2, DOLLAR, agent, seller, 5);
        escrow.lines[3] = lineOf(3, DOLLAR, agent, buyer, 5);
        bytes32 id = open(escrow);
        bytes[] memory two = splits(id, 0, partiesOf(escrow, 1), paying(SUM));
        bytes memory error_ = abi.encodeWithSelector(IEscrow.SignaturesMissing.selector, 2, 3);
        assertReverts(seller, agreeing(escrow, paying(SUM), two), error_);
        bytes[] memory three = splits(id, 0, partiesOf(escrow, 7), paying(SUM));
        books.endByAgreement(escrow, 0, paying(SUM), type(uint64).max, three);
        // Nobody hangs on the last one but its own two.
        bytes[] memory own = splits(id, 3, partiesOf(escrow, 8), paying(5));
        books.endByAgreement(escrow, 3, paying(5), type(uint64).max, own);
    }

    function test_takes_a_wallets_agreement() external {
        Wallet vault = wallet("vault");
        give(address(vault), EURO, SUM);
        EscrowTerms memory escrow = delivery();
        escrow.lines[0].depositor = address(vault);
        open(escrow);
        agree(escrow, 0, paying(SUM));
        assertHolds(seller, EURO, SUM, 0);
    }

    // ---------------------------------------------------------------- withdrawing

    function test_lets_every_signer_withdraw_by_call_or_by_signature() external {
        EscrowTerms memory escrow = withPanel(delivery());
        address[] memory signers = signersOf(escrow);
        for (uint256 k = 0; k < signers.length; ++k) {
            escrow.salt = bytes32(k);
            bytes32 id = idOf(escrow);
            bytes memory signature = signatureBy(
                signers[k],
                messageOf(
                    "EscrowWithdrawal(address account,bytes32 escrow)", abi.encode(signers[k], id)
                )
            );
            if (k % 2 == 0) signature = "";
            vm.expectEmit(address(books));
            emit IEscrow.EscrowConsentWithdrawn(id, signers[k]);
            vm.prank(k % 2 == 0 ? signers[k] : stranger);
            books.withdrawFromEscrow(escrow, signers[k], signature);
            assertTrue(books.isWithdrawnFromEscrow(id));
        }
    }

    function test_refuses_a_withdrawal_of_strangers_of_others_twice_or_too_late() external {
        EscrowTerms memory escrow = delivery();
        bytes32 id = idOf(escrow);
        bytes memory call_ = abi.encodeCall(books.withdrawFromEscrow, (escrow, stranger, ""));
        bytes memory error_ = abi.encodeWithSelector(IEscrow.NotAParty.selector, stranger);
        assertReverts(stranger, call_, error_);
        call_ = abi.encodeCall(books.withdrawFromEscrow, (escrow, seller, ""));
        assertReverts(buyer, call_, bad(seller));
        uint256 before = vm.snapshotState();
        vm.prank(seller);
        books.withdrawFromEscrow(escrow, seller, "");
        error_ = abi.encodeWithSelector(IEscrow.ConsentWasWithdrawn.selector, id);
        assertReverts(seller, call_, error_);
        vm.revertToStateAndDelete(before);
        open(escrow);
        error_ = abi.encodeWithSelector(IEscrow.EscrowAlreadyOpened.selector, id);
        assertReverts(seller, call_, error_);
    }
}
