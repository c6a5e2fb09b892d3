// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {Holding, Instruction, Standing} from "../../src/interfaces/Types.sol";
import {Market} from "../support/Market.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Value leaves the books under its holder's signature (laws L2, L3, L4).
contract RedeemTest is Market {
    function setUp() public override {
        super.setUp();
        give(seller, BOND, 100);
    }

    function digest(address account, uint128 quantity, uint64 nonce, uint64 validBy)
        private
        view
        returns (bytes32)
    {
        bytes32 messageType = keccak256(
            "Redemption(address account,uint32 asset,uint128 quantity,bytes32 ref,uint64 nonce,uint64 validBy)"
        );
        bytes32 ref = "ref";
        return
            digestOf(
                keccak256(abi.encode(messageType, account, BOND, quantity, ref, nonce, validBy))
            );
    }

    function callOf(uint128 quantity, uint64 nonce, bytes memory signature)
        private
        view
        returns (bytes memory)
    {
        return
            abi.encodeCall(books.redeem, (seller, BOND, quantity, "ref", nonce, CLOSES, signature));
    }

    function good(uint128 quantity, uint64 nonce) private view returns (bytes memory) {
        bytes memory signature = signatureBy(seller, digest(seller, quantity, nonce, CLOSES));
        return callOf(quantity, nonce, signature);
    }

    function refuse(bytes memory call_, bytes memory error_) private {
        assertReverts(address(this), call_, error_);
    }

    function redeem(uint128 quantity, uint64 nonce) private {
        (bool success,) = address(books).call(good(quantity, nonce));
        assertTrue(success);
    }

    function test_refuses_who_has_not_the_role() external {
        bytes4 error_ = IAccessManaged.AccessManagedUnauthorized.selector;
        assertReverts(seller, good(1, 1), abi.encodeWithSelector(error_, seller));
    }

    function test_refuses_a_frozen_asset_and_a_frozen_account() external {
        books.freezeAccount(seller, true, "TEST");
        refuse(good(1, 1), abi.encodeWithSelector(ILedger.AccountIsFrozen.selector, seller));
        books.freezeAsset(BOND, true, "TEST");
        refuse(good(1, 1), abi.encodeWithSelector(ILedger.AssetIsFrozen.selector, BOND));
    }

    function test_refuses_nothing() external {
        refuse(good(0, 1), abi.encodeWithSelector(ILedger.QuantityIsZero.selector));
    }

    function test_refuses_from_validBy_on() external {
        vm.warp(CLOSES);
        refuse(good(1, 1), abi.encodeWithSelector(ILedger.DeadlinePassed.selector, CLOSES, CLOSES));
        vm.warp(CLOSES - 1);
        redeem(1, 1);
    }

    function test_refuses_a_nonce_that_was_used_by_a_redemption_or_a_trade() external {
        redeem(1, 1);
        refuse(good(1, 1), abi.encodeWithSelector(ILedger.NonceUsed.selector, seller, 1));
        give(buyer, EURO, PRICE);
        vm.prank(seller);
        books.affirm(dvp(2), new bytes[](2));
        refuse(good(1, 2), abi.encodeWithSelector(ILedger.NonceUsed.selector, seller, 2));
    }

    function test_ends_a_nonce_for_trades_too() external {
        redeem(1, 1);
        assertUnsettled(dvp(1), reasonOf("XDON", 0, seller, 0, 1));
    }

    function test_refuses_a_signature_over_other_terms_or_of_somebody_else() external {
        bytes memory error_ = abi.encodeWithSelector(ILedger.SignatureInvalid.selector, seller);
        refuse(callOf(1, 1, signatureBy(buyer, digest(seller, 1, 1, CLOSES))), error_);
        refuse(callOf(1, 1, signatureBy(seller, digest(seller, 2, 1, CLOSES))), error_);
        refuse(callOf(1, 1, signatureBy(seller, digest(seller, 1, 2, CLOSES))), error_);
        refuse(callOf(1, 1, signatureBy(seller, digest(seller, 1, 1, CLOSES - 1))), error_);
        refuse(callOf(1, 1, signatureBy(seller, digest(buyer, 1, 1, CLOSES))), error_);
        refuse(callOf(1, 1, ""), error_);
    }

    function test_refuses_more_than_is_available() external {
        Instruction memory one = dvp(1);
        one.legs[0].quantity = 60;
        vm.startPrank(seller);
        books.affirm(one, new bytes[](2));
        books.reserve(one, seller, false, "");
        vm.stopPrank();
        bytes4 error_ = ILedger.HoldingTooSmall.selector;
        refuse(good(41, 2), abi.encodeWithSelector(error_, seller, BOND, 40, 41));
        redeem(40, 2);
        assertHolds(seller, BOND, 0, 60);
    }

    function test_takes_from_the_holding_and_the_supply_and_tells_both() external {
        vm.expectEmit(address(books));
        emit ILedger.Redeemed(BOND, seller, "ref", 1, 30, Holding(70, 0), 70);
        redeem(30, 1);
        assertHolds(seller, BOND, 70, 0);
        assertEq(books.totalSupply(BOND), 70);
    }

    /// @dev Trap: lapsed admission that blocks refunds.
    function test_lets_a_suspended_holder_out() external {
        books.setStanding(seller, Standing.Suspended, 0);
        redeem(100, 1);
        assertEq(books.totalSupply(BOND), 0);
    }

    function test_redeems_for_a_wallet() external {
        Wallet account = wallet("owner");
        give(address(account), BOND, 5);
        bytes memory signature =
            signatureBy(address(account), digest(address(account), 5, 1, CLOSES));
        books.redeem(address(account), BOND, 5, "ref", 1, CLOSES, signature);
        assertEq(books.totalSupply(BOND), 100);
    }
}
