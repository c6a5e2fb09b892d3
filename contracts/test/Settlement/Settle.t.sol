// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AssetClass,
    Holding,
    Instruction,
    Leg,
    MAX_LEGS,
    OPTION_PARTIAL,
    OPTION_RECORD,
    OPTIONS_KNOWN,
    Standing,
    Status
} from "../../src/interfaces/Types.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {Cheats} from "../support/Cheats.sol";
import {Market} from "../support/Market.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Refusals of `settle`, in order of precedence. Each is asked of `whyNot` and `settleMany` too.
contract SettleRefusalsTest is Market {
    function setUp() public override {
        super.setUp();
        fund();
    }

    // ---------------------------------------------------------------- the terms

    function test_refuses_an_instruction_without_legs() external {
        Instruction memory one = terms(seller, 1, 0);
        assertUnsettled(one, reasonOf("XLEG", 0, seller, MAX_LEGS, 0));
    }

    function test_refuses_more_legs_than_the_bound() external {
        Instruction memory one = terms(seller, 1, MAX_LEGS + 1);
        for (uint256 k = 0; k <= MAX_LEGS; ++k) {
            one.legs[k] = leg(BOND, seller, buyer, 1);
        }
        assertUnsettled(one, nothing, reasonOf("XLEG", 0, seller, MAX_LEGS, MAX_LEGS + 1));
    }

    function test_refuses_a_leg_of_nothing() external {
        Instruction memory one = dvp(1);
        one.legs[1].quantity = 0;
        assertUnsettled(one, reasonOf("XQTY", 1, buyer, 1, 0));
    }

    /// @dev Trap: the same account on both sides.
    function test_refuses_a_leg_from_an_account_to_itself() external {
        Instruction memory one = dvp(1);
        one.legs[1].receiver = buyer;
        assertUnsettled(one, reasonOf("XSLF", 1, buyer));
    }

    function test_refuses_an_initiator_that_stands_in_no_leg() external {
        Instruction memory one = dvp(1);
        one.initiator = agent;
        assertUnsettled(one, reasonOf("XINI", 0, agent));
    }

    function test_refuses_a_window_that_is_empty_or_turned_round() external {
        Instruction memory one = dvp(1);
        one.settleBy = one.settleFrom;
        assertUnsettled(one, reasonOf("XWIN", 0, seller, OPENS, OPENS));
        one.settleBy = one.settleFrom - 1;
        assertUnsettled(one, reasonOf("XWIN", 0, seller, OPENS, OPENS - 1));
    }

    function testFuzz_refuses_an_option_that_is_not_known(uint32 options) external {
        Instruction memory one = dvp(1);
        one.options = options & ~OPTIONS_KNOWN == 0 ? options | 4 : options;
        assertUnsettled(one, reasonOf("XOPT", 0, seller, OPTIONS_KNOWN, one.options));
    }

    function test_refuses_a_netting_cycle_by_name() external {
        Instruction memory one = dvp(1);
        one.cycle = "cycle";
        assertUnsettled(one, reasonOf("XCYC", 0, seller, 0, uint256(one.cycle)));
    }

    function test_refuses_a_predecessor_by_name() external {
        Instruction memory one = dvp(1);
        one.predecessor = "before";
        assertUnsettled(one, reasonOf("XPRE", 0, seller, 0, uint256(one.predecessor)));
    }

    function test_refuses_a_smallest_part_where_parts_are_not_allowed() external {
        Instruction memory one = dvp(1);
        one.minimumLot = 1;
        assertUnsettled(one, reasonOf("XLOT", 0, seller, 0, 1));
    }

    function test_refuses_a_smallest_part_larger_than_the_first_leg() external {
        Instruction memory one = dvp(1);
        one.options = OPTION_PARTIAL;
        one.minimumLot = PIECES + 1;
        assertUnsettled(one, reasonOf("XLOT", 0, seller, PIECES, PIECES + 1));
    }

    // ---------------------------------------------------------------- the nonce

    /// @dev Trap: ids reused after close.
    function test_refuses_what_has_settled_for_ever() external {
        Instruction memory one = dvp(1);
        settle(one);
        fund();
        assertUnsettled(one, reasonOf("XDON", 0, seller, 0, 1));
        vm.warp(CLOSES);
        assertUnsettled(one, reasonOf("XDON", 0, seller, 0, 1));
    }

    function test_refuses_other_terms_on_a_nonce_that_has_settled() external {
        settle(dvp(1));
        fund();
        Instruction memory other = dvp(1);
        other.terms = "other terms";
        assertUnsettled(other, reasonOf("XDON", 0, seller, 0, 1));
    }

    function test_refuses_what_was_cancelled_for_ever() external {
        Instruction memory one = dvp(1);
        vm.prank(seller);
        books.cancel(one, CLOSES, new bytes[](1));
        assertUnsettled(one, reasonOf("XCAN", 0, seller, 0, 1));
    }

    function test_refuses_other_terms_on_a_nonce_that_is_live() external {
        Instruction memory one = dvp(1);
        books.affirm(one, signed(one));
        Instruction memory other = dvp(1);
        other.terms = "other terms";
        assertUnsettled(other, reasonOf("XOCC", 0, seller, 0, 1));
        settle(one);
    }

    // ---------------------------------------------------------------- time

    function test_refuses_until_settleFrom_and_settles_at_it() external {
        Instruction memory one = dvp(1);
        one.settleFrom = OPENS + 1;
        assertUnsettled(one, reasonOf("FUTU", 0, seller, OPENS + 1, OPENS));
        vm.warp(OPENS + 1);
        settle(one);
    }

    function test_settles_until_settleBy_and_refuses_at_it() external {
        vm.warp(CLOSES);
        assertUnsettled(dvp(1), reasonOf("ADEA", 0, seller, CLOSES, CLOSES));
        vm.warp(CLOSES - 1);
        settle(dvp(1));
    }

    /// @dev Trap: dates enforced on one path and not on the other.
    function test_keeps_the_window_on_the_path_of_consents_on_chain_too() external {
        Instruction memory one = dvp(1);
        one.settleFrom = OPENS + 1;
        books.affirm(one, signed(one));
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        vm.prank(buyer);
        books.reserve(one, buyer, true, "");
        assertUnsettled(one, nothing, reasonOf("FUTU", 0, seller, OPENS + 1, OPENS));
        vm.warp(CLOSES);
        assertUnsettled(one, nothing, reasonOf("ADEA", 0, seller, CLOSES, CLOSES));
        vm.warp(OPENS + 1);
        books.settle(one, nothing);
    }

    // ---------------------------------------------------------------- consent and standing

    function test_refuses_a_list_of_signatures_of_another_length() external {
        Instruction memory one = dvp(1);
        assertUnsettled(one, new bytes[](1), reasonOf("XSIG", 0, seller, 2, 1));
        assertUnsettled(one, new bytes[](3), reasonOf("XSIG", 0, seller, 2, 3));
    }

    function test_refuses_an_account_that_nobody_admitted() external {
        Instruction memory one = dvp(1);
        one.legs[0].receiver = stranger;
        assertUnsettled(one, reasonOf("XADM", 1, stranger));
        one.legs[0].receiver = address(0);
        assertUnsettled(one, reasonOf("XADM", 1, address(0)));
    }

    function test_refuses_a_suspended_account_on_either_side() external {
        books.setStanding(buyer, Standing.Suspended, 0);
        assertUnsettled(dvp(1), reasonOf("XSUS", 1, buyer));
        books.setStanding(seller, Standing.Suspended, 0);
        assertUnsettled(dvp(1), reasonOf("XSUS", 0, seller));
    }

    function test_refuses_without_the_consent_of_one_that_only_receives() external {
        Instruction memory one = terms(seller, 1, 1);
        one.legs[0] = leg(BOND, seller, buyer, PIECES);
        bytes[] memory signatures = signed(one);
        signatures[1] = "";
        assertUnsettled(one, signatures, reasonOf("XCON", 1, buyer));
    }

    function test_refuses_a_deliverer_that_sends_without_signing() external {
        Instruction memory one = dvp(1);
        bytes[] memory signatures = signed(one);
        signatures[0] = "";
        bytes memory call_ = abi.encodeCall(books.settle, (one, signatures));
        assertRefused(seller, call_, one, reasonOf("XCON", 0, seller));
    }

    function test_refuses_a_signature_of_somebody_else() external {
        Instruction memory one = dvp(1);
        bytes[] memory signatures = signed(one);
        signatures[1] = signatureBy(stranger, books.idOf(one));
        assertUnsettled(one, signatures, reasonOf("XBAD", 1, buyer));
        signatures[1] = signatures[0];
        assertUnsettled(one, signatures, reasonOf("XBAD", 1, buyer));
    }

    function test_refuses_signatures_in_another_order() external {
        Instruction memory one = dvp(1);
        bytes[] memory signatures = signed(one);
        (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        assertUnsettled(one, signatures, reasonOf("XBAD", 0, seller));
    }

    function test_refuses_a_bad_signature_beside_a_consent_on_chain() external {
        Instruction memory one = dvp(1);
        bytes[] memory signatures = signed(one);
        books.affirm(one, signatures);
        signatures[1] = hex"00";
        assertUnsettled(one, signatures, reasonOf("XBAD", 1, buyer));
    }

    function test_refuses_a_consent_that_was_withdrawn_although_its_signature_is_brought()
        external
    {
        Instruction memory one = dvp(1);
        vm.prank(buyer);
        books.withdraw(one, buyer, "");
        assertUnsettled(one, reasonOf("XWDR", 1, buyer));
        // Only this id: the account's other trades go on.
        settle(dvp(2));
    }

    function test_refuses_the_same_signature_after_a_wallet_changed_its_mind() external {
        Wallet account = wallet("owner");
        give(address(account), EURO, PRICE);
        Instruction memory one = dvp(1);
        one.legs[0].receiver = one.legs[1].deliverer = address(account);
        account.become(Wallet.Mood.Refuses);
        assertUnsettled(one, reasonOf("XBAD", 1, address(account)));
        account.become(Wallet.Mood.Honest);
        settle(one);
    }

    // ---------------------------------------------------------------- value

    function test_refuses_a_frozen_deliverer() external {
        books.freezeAccount(buyer, true, "TEST");
        assertUnsettled(dvp(1), reasonOf("BLOC", 1, buyer));
    }

    function test_refuses_an_asset_that_does_not_exist() external {
        Instruction memory one = dvp(1);
        one.legs[0].asset = 77;
        assertUnsettled(one, reasonOf("XAST", 0, address(0), 77, 0));
        one.legs[0].asset = 0;
        assertUnsettled(one, reasonOf("XAST", 0, address(0), 0, 0));
        // Of the same place in the next word of open assets as one that exists.
        one.legs[0].asset = BOND;
        one.legs[1].asset = 256 + EURO;
        assertUnsettled(one, reasonOf("XAST", 1, address(0), 256 + EURO, 0));
    }

    function test_refuses_a_frozen_asset() external {
        books.freezeAsset(EURO, true, "TEST");
        assertUnsettled(dvp(1), reasonOf("SBLO", 1, address(this), EURO, 0));
    }

    function test_refuses_a_lack_of_securities() external {
        Instruction memory one = dvp(1);
        one.legs[0].quantity = PIECES + 1;
        assertUnsettled(one, reasonOf("LACK", 0, seller, PIECES + 1, PIECES));
    }

    function test_refuses_a_lack_of_cash_of_each_class() external {
        bytes12[4] memory codes = [bytes12("C3"), "C4", "C5", "C6"];
        for (uint8 class = 2; class <= 6; ++class) {
            uint32 asset = class == 2
                ? EURO
                : books.createAsset(AssetClass(class), 0, codes[class - 3], address(this));
            Instruction memory one = dvp(class);
            one.legs[1].asset = asset;
            one.legs[1].quantity = PRICE + 1;
            bytes4 code = class <= uint8(AssetClass.EMoney) ? bytes4("MONY") : bytes4("LACK");
            uint256 have = class == 2 ? PRICE : 0;
            assertUnsettled(one, reasonOf(code, 1, buyer, PRICE + 1, have));
        }
    }

    function test_refuses_value_that_another_instruction_reserved() external {
        Instruction memory first = dvp(1);
        books.affirm(first, signed(first));
        vm.prank(seller);
        books.reserve(first, seller, false, "");
        assertUnsettled(dvp(2), reasonOf("LACK", 0, seller, PIECES, 0));
    }

    function test_refuses_a_leg_that_only_a_later_leg_would_cover() external {
        Instruction memory one = terms(seller, 1, 2);
        one.legs[0] = leg(BOND, buyer, agent, PIECES);
        one.legs[1] = leg(BOND, seller, buyer, PIECES);
        assertUnsettled(one, reasonOf("LACK", 0, buyer, PIECES, 0));
    }

    function test_refuses_the_same_value_delivered_in_two_legs() external {
        Instruction memory one = terms(seller, 1, 2);
        one.legs[0] = leg(BOND, seller, buyer, PIECES);
        one.legs[1] = leg(BOND, seller, agent, 1);
        assertUnsettled(one, reasonOf("LACK", 1, seller, 1, 0));
    }

    function test_moves_nothing_when_the_last_leg_fails() external {
        Instruction memory one = dvp(1);
        one.legs[1].quantity = PRICE + 1;
        assertUnsettled(one, reasonOf("MONY", 1, buyer, PRICE + 1, PRICE));
        assertHolds(seller, BOND, PIECES, 0);
        assertHolds(buyer, EURO, PRICE, 0);
        assertHolds(buyer, BOND, 0, 0);
        assertTrue(books.statusOf(one) == Status.Open, "open");
    }

    // ---------------------------------------------------------------- in order

    /// @dev Everything is wrong at once; each cure uncovers the next reason of the list on the interface.
    function test_names_the_reasons_in_their_order() external {
        Instruction memory one = terms(seller, 1, 2);
        one.legs[0] = leg(EURO, stranger, buyer, PRICE + 1);
        one.legs[1] = leg(BOND, seller, buyer, PIECES + 1);
        one.settleFrom = OPENS + 10;
        books.freezeAccount(stranger, true, "TEST");
        books.freezeAsset(EURO, true, "TEST");
        bytes[] memory signatures = signed(one);
        signatures[0] = "";
        assertUnsettled(one, signatures, reasonOf("FUTU", 0, seller, OPENS + 10, OPENS));
        vm.warp(OPENS + 10);
        assertUnsettled(one, signatures, reasonOf("XADM", 0, stranger));
        books.setStanding(stranger, Standing.Suspended, 0);
        assertUnsettled(one, signatures, reasonOf("XSUS", 0, stranger));
        books.setStanding(stranger, Standing.Admitted, 0);
        assertUnsettled(one, signatures, reasonOf("XCON", 0, stranger));
        vm.prank(stranger);
        books.withdraw(one, stranger, "");
        signatures[0] = hex"00";
        assertUnsettled(one, signatures, reasonOf("XBAD", 0, stranger));
        signatures[0] = signatureBy(stranger, books.idOf(one));
        assertUnsettled(one, signatures, reasonOf("XWDR", 0, stranger));
    }

    function test_names_the_reasons_of_value_after_all_consents() external {
        Instruction memory one = dvp(1);
        one.legs[0].quantity = PIECES + 1;
        books.freezeAccount(buyer, true, "TEST");
        books.freezeAsset(BOND, true, "TEST");
        assertUnsettled(one, reasonOf("BLOC", 1, buyer));
        books.freezeAccount(buyer, false, "TEST");
        assertUnsettled(one, reasonOf("SBLO", 0, address(this), BOND, 0));
        books.freezeAsset(BOND, false, "TEST");
        assertUnsettled(one, reasonOf("LACK", 0, seller, PIECES + 1, PIECES));
        give(seller, BOND, 1);
        settle(one);
    }
}

/// @notice What `settle` does when nothing stands in the way.
contract SettleTest is Market {
    event InstructionSettled(bytes32 indexed id, address indexed initiator, uint64 nonce);

    /// @dev Trap: the settling authority being one of the parties. Whoever holds the signatures settles.
    function test_settles_for_anybody_who_brings_the_signatures() external {
        address[3] memory senders = [seller, buyer, stranger];
        for (uint64 k = 0; k < 3; ++k) {
            fund();
            bytes[] memory signatures = signed(dvp(k));
            vm.prank(senders[k]);
            books.settle(dvp(k), signatures);
        }
        assertHolds(buyer, BOND, 3 * PIECES, 0);
    }

    function test_settles_a_delivery_versus_payment() external {
        fund();
        settle(dvp(1));
        assertHolds(seller, BOND, 0, 0);
        assertHolds(seller, EURO, PRICE, 0);
        assertHolds(buyer, BOND, PIECES, 0);
        assertHolds(buyer, EURO, 0, 0);
        assertTrue(books.statusOf(dvp(1)) == Status.Settled, "settled");
    }

    function test_settles_a_payment_versus_payment() external {
        give(seller, DOLLAR, 110);
        give(buyer, EURO, 100);
        Instruction memory one = terms(buyer, 1, 2);
        one.legs[0] = leg(DOLLAR, seller, buyer, 110);
        one.legs[1] = leg(EURO, buyer, seller, 100);
        settle(one);
        assertHolds(buyer, DOLLAR, 110, 0);
        assertHolds(seller, EURO, 100, 0);
    }

    function test_settles_a_delivery_versus_delivery() external {
        give(seller, BOND, 5);
        give(buyer, SHARE, 9);
        Instruction memory one = terms(seller, 1, 2);
        one.legs[0] = leg(BOND, seller, buyer, 5);
        one.legs[1] = leg(SHARE, buyer, seller, 9);
        settle(one);
        assertHolds(buyer, BOND, 5, 0);
        assertHolds(seller, SHARE, 9, 0);
    }

    function test_settles_free_of_payment() external {
        give(seller, BOND, 5);
        Instruction memory one = terms(buyer, 1, 1);
        one.legs[0] = leg(BOND, seller, buyer, 5);
        settle(one);
        assertHolds(buyer, BOND, 5, 0);
    }

    function test_settles_between_three_parties() external {
        give(seller, BOND, 5);
        give(agent, EURO, 100);
        give(buyer, DOLLAR, 110);
        Instruction memory one = terms(agent, 1, 3);
        one.legs[0] = leg(BOND, seller, buyer, 5);
        one.legs[1] = leg(EURO, agent, seller, 100);
        one.legs[2] = leg(DOLLAR, buyer, agent, 110);
        settle(one);
        assertHolds(buyer, BOND, 5, 0);
        assertHolds(seller, EURO, 100, 0);
        assertHolds(agent, DOLLAR, 110, 0);
    }

    function test_settles_back_to_back_what_an_earlier_leg_brought() external {
        fund();
        give(agent, EURO, PRICE + 50);
        Instruction memory one = terms(buyer, 1, 4);
        one.legs[0] = leg(BOND, seller, buyer, PIECES);
        one.legs[1] = leg(BOND, buyer, agent, PIECES);
        one.legs[2] = leg(EURO, agent, buyer, PRICE + 50);
        one.legs[3] = leg(EURO, buyer, seller, PRICE);
        settle(one);
        assertHolds(agent, BOND, PIECES, 0);
        assertHolds(seller, EURO, PRICE, 0);
        assertHolds(buyer, EURO, PRICE + 50, 0);
        assertHolds(buyer, BOND, 0, 0);
    }

    function test_settles_every_number_of_legs_up_to_the_bound() external {
        for (uint64 count = 1; count <= MAX_LEGS; ++count) {
            Instruction memory one = terms(seller, count, count);
            for (uint256 k = 0; k < count; ++k) {
                address account = admitted(string.concat("to ", vm.toString(count * 10 + k)));
                one.legs[k] = leg(BOND, seller, account, uint128(k + 1));
                give(seller, BOND, uint128(k + 1));
            }
            settle(one);
            for (uint256 k = 0; k < count; ++k) {
                assertHolds(one.legs[k].receiver, BOND, k + 1, 0);
            }
            assertHolds(seller, BOND, 0, 0);
        }
    }

    /// @dev Eight legs, sixteen accounts: the last bit of the consents.
    function test_settles_the_largest_number_of_accounts() external {
        Instruction memory one = terms(address(0), 1, MAX_LEGS);
        for (uint256 k = 0; k < MAX_LEGS; ++k) {
            address from = admitted(string.concat("from ", vm.toString(k)));
            one.legs[k] = leg(BOND, from, admitted(string.concat("to ", vm.toString(k))), 7);
            give(from, BOND, 7);
        }
        one.initiator = one.legs[7].receiver;
        books.affirm(one, signed(one));
        (uint16 consents,,,) = books.liveState(books.idOf(one));
        assertEq(consents, type(uint16).max, "all sixteen");
        books.settle(one, nothing);
        for (uint256 k = 0; k < MAX_LEGS; ++k) {
            assertHolds(one.legs[k].receiver, BOND, 7, 0);
            assertHolds(one.legs[k].deliverer, BOND, 0, 0);
        }
    }

    function test_settles_many_legs_of_one_account_and_asset() external {
        give(seller, BOND, 10);
        Instruction memory one = terms(seller, 1, 4);
        one.legs[0] = leg(BOND, seller, buyer, 10);
        one.legs[1] = leg(BOND, buyer, seller, 4);
        one.legs[2] = leg(BOND, seller, buyer, 3);
        one.legs[3] = leg(BOND, buyer, seller, 9);
        settle(one);
        assertHolds(seller, BOND, 10, 0);
        assertHolds(buyer, BOND, 0, 0);
    }

    function test_settles_what_was_affirmed_without_any_signature() external {
        fund();
        Instruction memory one = dvp(1);
        books.affirm(one, signed(one));
        vm.prank(stranger);
        books.settle(one, nothing);
        assertHolds(buyer, BOND, PIECES, 0);
        (uint16 consents,,,) = books.liveState(books.idOf(one));
        assertEq(consents, 0, "nothing is left in storage");
    }

    function test_settles_with_one_consent_on_chain_and_one_brought() external {
        fund();
        Instruction memory one = dvp(1);
        vm.prank(seller);
        books.affirm(one, new bytes[](2));
        bytes[] memory signatures = signed(one);
        signatures[0] = "";
        books.settle(one, signatures);
        assertHolds(buyer, BOND, PIECES, 0);
    }

    function test_settles_with_compact_signatures() external {
        fund();
        Instruction memory one = dvp(1);
        bytes[] memory signatures = new bytes[](2);
        signatures[0] = compactSignatureOf(keyFor[seller], books.idOf(one));
        signatures[1] = compactSignatureOf(keyFor[buyer], books.idOf(one));
        books.settle(one, signatures);
        assertHolds(buyer, BOND, PIECES, 0);
    }

    function test_settles_whole_where_parts_would_be_allowed() external {
        fund();
        Instruction memory one = dvp(1);
        one.options = OPTION_PARTIAL;
        one.minimumLot = PIECES;
        settle(one);
        assertHolds(buyer, BOND, PIECES, 0);
    }

    function test_records_that_exactly_this_settled_where_the_terms_ask_for_it() external {
        fund();
        fund();
        Instruction memory one = dvp(1);
        settle(one);
        assertFalse(books.isRecordedSettled(books.idOf(one)), "not asked for");
        one = dvp(2);
        one.options = OPTION_RECORD;
        bytes32 id = books.idOf(one);
        assertFalse(books.isRecordedSettled(id));
        vm.recordLogs();
        settle(one);
        assertTrue(books.isRecordedSettled(id));
        Cheats.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 4);
        assertEq(logs[2].topics[0], ISettlement.InstructionSettled.selector);
        assertEq(logs[3].topics[0], ISettlement.InstructionRecorded.selector);
        assertEq(logs[3].topics[1], id);
    }

    function test_settles_to_a_frozen_receiver() external {
        give(seller, BOND, 5);
        books.freezeAccount(buyer, true, "TEST");
        Instruction memory one = terms(seller, 1, 1);
        one.legs[0] = leg(BOND, seller, buyer, 5);
        settle(one);
        assertHolds(buyer, BOND, 5, 0);
    }

    function test_settles_the_largest_quantity_there_is() external {
        give(seller, BOND, type(uint128).max);
        Instruction memory one = terms(seller, 1, 2);
        one.legs[0] = leg(BOND, seller, buyer, type(uint128).max);
        one.legs[1] = leg(BOND, buyer, seller, type(uint128).max);
        settle(one);
        assertHolds(seller, BOND, type(uint128).max, 0);
    }

    function test_takes_what_was_reserved_and_leaves_other_holds() external {
        fund();
        give(seller, BOND, 7);
        Instruction memory other = dvp(2);
        other.legs[0].quantity = 7;
        books.affirm(other, signed(other));
        vm.prank(seller);
        books.reserve(other, seller, false, "");
        Instruction memory one = dvp(1);
        books.affirm(one, signed(one));
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        assertHolds(seller, BOND, 0, PIECES + 7);
        vm.expectEmit(address(books));
        emit ILedger.HoldEnded(
            books.idOf(one),
            0,
            address(books),
            seller,
            BOND,
            PIECES,
            CLOSES,
            true,
            Holding(PIECES, 7)
        );
        books.settle(one, nothing);
        assertHolds(seller, BOND, 0, 7);
        assertHolds(buyer, BOND, PIECES, 0);
    }

    /// @dev Two reserved legs of one asset, and a leg between them that brings more of it.
    function test_takes_several_reserved_legs_of_one_asset_in_order() external {
        give(seller, BOND, 10);
        give(buyer, BOND, 5);
        Instruction memory one = terms(seller, 1, 4);
        one.legs[0] = leg(BOND, seller, buyer, 6);
        one.legs[1] = leg(BOND, buyer, seller, 5);
        one.legs[2] = leg(BOND, seller, agent, 4);
        one.legs[3] = leg(BOND, agent, seller, 4);
        books.affirm(one, signed(one));
        vm.prank(seller);
        books.reserve(one, seller, true, "");
        assertHolds(seller, BOND, 0, 10);
        books.settle(one, nothing);
        assertHolds(seller, BOND, 9, 0);
        assertHolds(buyer, BOND, 6, 0);
        assertHolds(agent, BOND, 0, 0);
    }

    function testFuzz_touches_no_other_nonce(uint64 nonce, uint64 near) external {
        near = uint64(bound(near, 0, 127));
        uint64 neighbour = (nonce & ~uint64(127)) | near;
        vm.assume(neighbour != nonce);
        fund();
        settle(dvp(nonce));
        assertEq(books.nonceStatus(seller, nonce), 1, "settled");
        assertEq(books.nonceStatus(seller, neighbour), 0, "neighbour");
        assertEq(books.nonceStatus(buyer, nonce), 0, "of another account");
    }

    function test_settles_the_same_nonce_of_each_account() external {
        fund();
        settle(dvp(1));
        Instruction memory back = terms(buyer, 1, 1);
        back.legs[0] = leg(BOND, buyer, seller, PIECES);
        settle(back);
        assertHolds(seller, BOND, PIECES, 0);
    }

    function test_tells_each_leg_with_both_results_then_the_end() external {
        fund();
        Instruction memory one = dvp(1);
        bytes[] memory signatures = signed(one);
        bytes32 id = books.idOf(one);
        vm.recordLogs();
        books.settle(one, signatures);
        Cheats.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 3, "two legs and the end");
        for (uint256 k = 0; k < 2; ++k) {
            Leg memory leg_ = one.legs[k];
            assertEq(logs[k].topics[0], ILedger.Posted.selector);
            assertEq(logs[k].topics[1], id);
            assertEq(uint256(logs[k].topics[2]), leg_.asset);
            assertEq(
                logs[k].data,
                abi.encode(leg_.deliverer, leg_.receiver, leg_.quantity, 0, leg_.quantity)
            );
        }
        assertEq(logs[2].topics[0], InstructionSettled.selector);
        assertEq(logs[2].topics[1], id);
    }
}
