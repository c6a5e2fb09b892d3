// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, Leg, Reason, Standing} from "../../src/interfaces/Types.sol";
import {Chance} from "../support/Chance.sol";
import {PlainReasons} from "../support/PlainReasons.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Law L6: `whyNot` is empty if and only if `settle` succeeds, and says the same as its plain twin.
contract WhyNotTest is PlainReasons, Chance {
    address[] internal parties;
    Wallet internal account;
    Instruction internal one;
    bytes[] internal list;

    mapping(bytes4 code => bool) private _seen;

    function setUp() public override {
        super.setUp();
        account = wallet("owner");
        parties = [seller, buyer, agent, address(account)];
    }

    // ---------------------------------------------------------------- chance

    function once(uint256 in_) private returns (bool) {
        return roll(in_) == 0;
    }

    function anybody() private returns (address) {
        return parties[roll(4)];
    }

    // ---------------------------------------------------------------- a state

    function arrange(uint256 seed) private {
        seedOfAct = seed;
        for (uint256 k = 0; k < 4; ++k) {
            for (uint32 asset = BOND; asset <= DOLLAR; ++asset) {
                if (!once(4)) give(parties[k], asset, uint128(1 + roll(300)));
            }
        }
        arrangeTerms();
        arrangeChain();
        arrangeWorld();
        arrangeSignatures();
    }

    function arrangeTerms() private {
        uint256 count = 1 + roll(once(9) ? 8 : 3);
        delete one.legs;
        for (uint256 k = 0; k < count; ++k) {
            uint256 from = roll(4);
            address to = parties[once(80) ? from : (from + 1 + roll(3)) % 4];
            uint32 asset = once(40) ? 77 + 180 * uint32(roll(2)) : uint32(1 + roll(3));
            one.legs.push(leg(asset, parties[from], to, uint128(once(80) ? 0 : 1 + roll(90))));
        }
        one.initiator = once(12) ? anybody() : one.legs[roll(count)].deliverer;
        one.nonce = uint64(roll(3));
        one.settleFrom = uint64(NOON + 100 - roll(40));
        one.settleBy = uint64(NOON + (once(60) ? 60 : 160) + roll(40));
        one.options = once(40) ? uint32(roll(8)) : uint32(roll(4));
        one.minimumLot = once(20) ? uint128(roll(100)) : 0;
        one.cycle = once(80) ? bytes32(roll(9)) : bytes32(0);
        one.predecessor = once(80) ? bytes32(roll(9)) : bytes32(0);
        one.terms = bytes32(roll(2));
        one.tradeRef = bytes32(roll(2));
    }

    /// @dev What happened before: consents, reservations, withdrawals, another use of the nonce.
    function arrangeChain() private {
        Instruction memory copy = one;
        if (once(8)) {
            Instruction memory other = one;
            other.terms = "other terms";
            vm.warp(other.settleFrom);
            bytes[] memory all = signed(other);
            if (once(2)) attempt(stranger, abi.encodeCall(books.settle, (other, all)));
            else attempt(stranger, abi.encodeCall(books.affirm, (other, all)));
        }
        vm.warp(NOON + 70);
        if (once(2)) {
            bytes[] memory some = signed(copy);
            for (uint256 k = 0; k < some.length; ++k) {
                if (once(5)) some[k] = "";
            }
            attempt(stranger, abi.encodeCall(books.affirm, (copy, some)));
            for (uint256 k = 0; k < 4; ++k) {
                if (!once(2)) continue;
                bytes memory call_ = abi.encodeCall(books.reserve, (copy, parties[k], once(2), ""));
                attempt(parties[k], call_);
            }
        }
        if (once(9)) {
            address who = anybody();
            attempt(who, abi.encodeCall(books.withdraw, (copy, who, "")));
        }
        if (once(25)) {
            bytes memory call_ = abi.encodeCall(books.cancel, (copy, CLOSES, new bytes[](1)));
            attempt(copy.initiator, call_);
        }
    }

    function arrangeWorld() private {
        vm.warp(once(6) ? NOON + roll(220) : NOON + 110 + roll(40));
        if (once(12)) books.setStanding(anybody(), Standing(roll(3)), 0);
        if (once(12)) books.freezeAccount(anybody(), true, "TEST");
        if (once(15)) books.freezeAsset(uint32(1 + roll(3)), true, "TEST");
        if (once(8)) {
            account.become(once(2) ? Wallet.Mood.Refuses : Wallet.Mood.AgreesToAll);
        }
    }

    function arrangeSignatures() private {
        delete list;
        if (once(5)) return;
        bytes[] memory all = signed(one);
        for (uint256 k = 0; k < all.length; ++k) {
            list.push(once(20) ? bytes("") : once(20) ? all[roll(all.length)] : all[k]);
        }
        if (once(30)) list.push("");
    }

    // ---------------------------------------------------------------- what must hold

    function examine() private returns (Reason[] memory reasons) {
        reasons = books.whyNot(one, list);
        assertEq(abi.encode(reasons), abi.encode(plainReasons(one, list)), "as the plain twin says");
        bytes32 id = books.idOf(one);
        uint256[] memory sums = supplies();
        uint256 before = vm.snapshotState();
        (bool success, bytes memory answer) =
            address(books).call(abi.encodeCall(books.settle, (one, list)));
        assertEq(success, reasons.length == 0, "whyNot is empty if and only if settle succeeds");
        if (!success) assertEq(answer, refusal(id, reasons[0]), "settle gives the first reason");
        assertEq(abi.encode(supplies()), abi.encode(sums), "nothing came or went");
        vm.revertToState(before);
        bytes4 code = books.settleMany(listOf(one, list))[0];
        assertEq(bytes32(code), success ? bytes32(0) : bytes32(reasons[0].code), "settleMany");
    }

    /// @dev The sum of all holdings of each asset, counted one by one.
    function supplies() private view returns (uint256[] memory sums) {
        sums = new uint256[](4);
        for (uint32 asset = BOND; asset <= DOLLAR; ++asset) {
            for (uint256 k = 0; k < 4; ++k) {
                sums[asset] += books.balanceOf(parties[k], asset);
            }
            assertEq(sums[asset], books.totalSupply(asset), "sum of the holdings");
        }
    }

    function testFuzz_is_empty_if_and_only_if_settle_succeeds(uint256 seed) external {
        arrange(seed);
        examine();
    }

    /// @dev That the states above are worth examining: each reason is met, and so is settling.
    function test_meets_every_reason_in_the_states_it_examines() external {
        uint256 settled = 0;
        uint256 fresh = vm.snapshotState();
        bytes4[23] memory codes = [
            bytes4("XQTY"),
            "XSLF",
            "XINI",
            "XWIN",
            "XOPT",
            "XCYC",
            "XPRE",
            "XLOT",
            "XDON",
            "XCAN",
            "XOCC",
            "FUTU",
            "ADEA",
            "XSIG",
            "XADM",
            "XSUS",
            "XCON",
            "XBAD",
            "XWDR",
            "BLOC",
            "SBLO",
            "LACK",
            "MONY"
        ];
        bool[23] memory seen;
        for (uint256 seed = 0; seed < 250; ++seed) {
            arrange(seed);
            Reason[] memory reasons = examine();
            if (reasons.length == 0) ++settled;
            for (uint256 k = 0; k < reasons.length; ++k) {
                for (uint256 j = 0; j < codes.length; ++j) {
                    if (codes[j] == reasons[k].code) seen[j] = true;
                }
            }
            vm.revertToState(fresh);
        }
        for (uint256 j = 0; j < codes.length; ++j) {
            assertTrue(seen[j], string(abi.encodePacked(codes[j], " was never met")));
        }
        assertGt(settled, 25, "settles often enough");
    }

    function test_gives_all_reasons_at_once() external {
        Instruction memory bad = terms(seller, 1, 2);
        bad.legs[0] = leg(77, stranger, buyer, 5);
        bad.legs[1] = leg(EURO, buyer, seller, 7);
        bad.settleFrom = OPENS + 5;
        books.freezeAccount(buyer, true, "TEST");
        Reason[] memory reasons = books.whyNot(bad, new bytes[](1));
        bytes4[9] memory codes =
            [bytes4("FUTU"), "XSIG", "XADM", "XCON", "XCON", "BLOC", "XCON", "XAST", "LACK"];
        for (uint256 k = 0; k < codes.length; ++k) {
            assertEq(bytes32(reasons[k].code), bytes32(codes[k]));
        }
        assertEq(reasons.length, 10, "and the lack of cash");
    }

    /// @dev Views that lie during a call: while a wallet is asked, nothing has moved yet.
    function test_tells_the_same_whoever_asks() external {
        fund();
        bytes[] memory all = signed(dvp(1));
        vm.prank(address(0), address(0));
        assertEq(books.whyNot(dvp(1), all).length, 0);
        vm.prank(seller, seller);
        assertEq(books.whyNot(dvp(1), all).length, 0);
    }
}
