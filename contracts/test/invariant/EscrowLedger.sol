// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EscrowLine, EscrowTerms, MAX_WAIT, Outcome} from "../../src/interfaces/IEscrow.sol";
import {Standing} from "../../src/interfaces/Types.sol";
import {EscrowActs} from "../support/EscrowActs.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Books of what each party owns and what each escrow holds, kept beside the contract's in plain words.
abstract contract EscrowLedger is EscrowActs {
    uint32 internal constant ASSETS = 3;

    /// @param agreed everybody honest signed these terms, and nobody took it back
    /// @param kinds of each milestone's condition
    struct Deal {
        bytes terms;
        bytes32 id;
        bytes[] signatures;
        bool agreed;
        bool opened;
        uint8[3] kinds;
    }

    /// @dev Three honest ones, of whom the last is a wallet, then the forger and the griefer, also a wallet.
    address[5] public parties;
    Wallet internal vault;
    Wallet internal griefer;
    address internal forger;
    Deal[] internal deals;

    mapping(address party => mapping(uint32 asset => uint256)) internal owned;
    mapping(uint256 deal => mapping(uint256 line => uint256)) private _heldBy;
    mapping(address party => mapping(uint32 asset => uint256)) private _heldOf;
    /// @dev The escrow that was acted on last.
    uint256 internal touched;
    mapping(uint256 deal => mapping(uint256 milestone => Outcome)) internal outcomes;
    /// @dev What waits behind a freeze, per line; none: nothing.
    mapping(uint256 deal => mapping(uint256 milestone => uint128[])) internal waiting;
    mapping(uint256 deal => mapping(uint256 milestone => uint256)) internal endedAt;
    uint256[6] public ends;
    uint256 public openings;
    uint256 public waits;
    uint256 public payOuts;

    function isHonest(address party) internal view returns (bool) {
        return party != forger && party != address(griefer);
    }

    function termsOf(uint256 index) internal view returns (EscrowTerms memory) {
        return abi.decode(deals[index].terms, (EscrowTerms));
    }

    // ---------------------------------------------------------------- what happened

    function opened(uint256 index, EscrowTerms memory escrow) internal {
        Deal storage deal = deals[index];
        assertTrue(deal.agreed, "L3: everybody agreed");
        assertFalse(deal.opened, "L4: once");
        deal.opened = true;
        ++openings;
        for (uint256 k = 0; k < escrow.lines.length; ++k) {
            keep(index, escrow, k, escrow.lines[k].quantity);
        }
    }

    /// @dev So much of a line is held from now on.
    function keep(uint256 index, EscrowTerms memory escrow, uint256 k, uint256 quantity) private {
        EscrowLine memory line = escrow.lines[k];
        _heldOf[line.depositor][line.asset] += quantity;
        _heldOf[line.depositor][line.asset] -= _heldBy[index][k];
        _heldBy[index][k] = quantity;
    }

    /// @dev The amounts that the terms state: 1 if met, 4 by default, 5 if unruled.
    function stated(EscrowTerms memory escrow, uint256 m, uint256 way)
        internal
        pure
        returns (uint128[] memory paid)
    {
        (uint256 first, uint256 count) = linesOf(escrow, m);
        paid = new uint128[](count);
        for (uint256 k = 0; k < count; ++k) {
            EscrowLine memory line = escrow.lines[first + k];
            paid[k] = way == 1 ? line.ifMet : way == 4 ? line.byDefault : line.ifUnruled;
        }
    }

    function linesOf(EscrowTerms memory escrow, uint256 m)
        internal
        pure
        returns (uint256 first, uint256 count)
    {
        while (escrow.lines[first].milestone < m) ++first;
        while (first + count < escrow.lines.length && escrow.lines[first + count].milestone == m) {
            ++count;
        }
    }

    function ended(
        uint256 index,
        EscrowTerms memory escrow,
        uint256 m,
        uint256 way,
        uint128[] memory paid
    ) internal {
        assertEq(uint256(outcomes[index][m]), 0, "L4: one end");
        ++ends[way];
        (uint256 first,) = linesOf(escrow, m);
        bool stopped = false;
        uint256 sum = 0;
        uint256 most = 0;
        for (uint256 k = 0; k < paid.length; ++k) {
            EscrowLine memory line = escrow.lines[first + k];
            sum += paid[k];
            most += line.quantity;
            if (paid[k] != 0 && isStopped(line)) stopped = true;
            keep(index, escrow, first + k, paid[k]);
        }
        outcomes[index][m] =
            sum == 0 ? Outcome.Refunded : sum == most ? Outcome.Released : Outcome.Split;
        if (!stopped) return paidOut(index, escrow, m, paid);
        waiting[index][m] = paid;
        endedAt[index][m] = vm.getBlockTimestamp();
        ++waits;
    }

    function isStopped(EscrowLine memory line) internal view returns (bool) {
        return books.accountOf(line.depositor).frozen || books.assetOf(line.asset).frozen;
    }

    function paidOut(uint256 index, EscrowTerms memory escrow, uint256 m, uint128[] memory paid)
        internal
    {
        (uint256 first,) = linesOf(escrow, m);
        for (uint256 k = 0; k < paid.length; ++k) {
            EscrowLine memory line = escrow.lines[first + k];
            owned[line.depositor][line.asset] -= paid[k];
            owned[line.beneficiary][line.asset] += paid[k];
            keep(index, escrow, first + k, 0);
        }
        delete waiting[index][m];
    }

    function givenUp(uint256 index, EscrowTerms memory escrow, uint256 m) internal {
        (uint256 first, uint256 count) = linesOf(escrow, m);
        for (uint256 k = 0; k < count; ++k) {
            keep(index, escrow, first + k, 0);
        }
        delete waiting[index][m];
    }

    // ---------------------------------------------------------------- what must hold

    /// @notice Laws L1 to L4 as they stand between any two acts.
    function check() external view {
        if (touched < deals.length) checkState(touched, termsOf(touched));
        for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
            // The agent of the market stands outside, with what it had.
            uint256 sum = books.balanceOf(agent, asset);
            for (uint256 k = 0; k < 5; ++k) {
                uint256 balance = books.balanceOf(parties[k], asset);
                assertEq(balance, owned[parties[k]][asset], "L1, L3: as was agreed");
                assertEq(
                    held(parties[k], asset), _heldOf[parties[k]][asset], "held for what is open"
                );
                sum += balance;
            }
            assertEq(sum, books.totalSupply(asset), "L2: sum of the holdings");
        }
    }

    function checkState(uint256 index, EscrowTerms memory escrow) private view {
        (uint64 openedAt, uint32 bits,) = books.escrowState(deals[index].id);
        assertEq(openedAt != 0, deals[index].opened, "L4: opened");
        uint256 expected = 0;
        for (uint256 m = 0; m < escrow.deadlines.length; ++m) {
            uint256 three = uint256(outcomes[index][m]);
            if (waiting[index][m].length != 0) three += 4;
            expected += three << (3 * m);
        }
        assertEq(bits, expected, "outcomes");
    }

    // ---------------------------------------------------------------- the way out

    /// @notice Laws L5, L10: with everybody frozen, suspended and silent each milestone's outcome is fixed by
    /// anyone when its clock is over; when the freezes are over, anyone pays what waited, without authority.
    function everybodyLeaves() external {
        for (uint256 k = 0; k < 5; ++k) {
            books.setStanding(parties[k], Standing.Unknown, 0);
            books.freezeAccount(parties[k], true, "TEST");
        }
        for (uint256 index = 0; index < deals.length; ++index) {
            EscrowTerms memory escrow = termsOf(index);
            checkState(index, escrow);
            if (!deals[index].opened) continue;
            for (uint256 m = 0; m < escrow.deadlines.length; ++m) {
                lapseOf(index, escrow, m);
            }
        }
        for (uint256 k = 0; k < 5; ++k) {
            books.freezeAccount(parties[k], false, "TEST");
        }
        for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
            books.freezeAsset(asset, false, "TEST");
        }
        vm.etch(address(authority), "");
        for (uint256 index = 0; index < deals.length; ++index) {
            EscrowTerms memory escrow = termsOf(index);
            for (uint256 m = 0; m < escrow.deadlines.length; ++m) {
                uint128[] memory paid = waiting[index][m];
                if (paid.length == 0) continue;
                vm.prank(stranger);
                books.payOut(escrow, m, paid);
                paidOut(index, escrow, m, paid);
            }
        }
        for (uint256 k = 0; k < 5; ++k) {
            for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
                assertEq(held(parties[k], asset), 0, "L10: nothing stays held");
                assertEq(available(parties[k], asset), owned[parties[k]][asset], "L5: all is there");
            }
        }
    }

    function lapseOf(uint256 index, EscrowTerms memory escrow, uint256 m) private {
        if (outcomes[index][m] != Outcome.None) return;
        uint256 deadline = nowOf(escrow, m).deadline;
        // Law L10: at a time that is known when the terms are signed.
        uint256 most = escrow.deadlines[m] + 3 * (ANSWER + LAST_WORD);
        assertLe(deadline, most, "L10: bounded");
        if (vm.getBlockTimestamp() < deadline) vm.warp(deadline);
        (,, uint8 disputed) = books.escrowState(deals[index].id);
        uint256 way = disputed / 2 ** m % 2 == 1 ? 5 : 4;
        lapse(escrow, m);
        ended(index, escrow, m, way, stated(escrow, m, way));
    }

    function isOver(uint256 index, uint256 m) internal view returns (bool) {
        return vm.getBlockTimestamp() >= endedAt[index][m] + MAX_WAIT;
    }
}
