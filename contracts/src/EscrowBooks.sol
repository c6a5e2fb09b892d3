// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EndedBy, IEscrow, Outcome} from "./interfaces/IEscrow.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {AssetClass, Standing} from "./interfaces/Types.sol";
import {Evidence} from "./Evidence.sol";
import {EscrowPlan, LineWords} from "./libraries/EscrowPlan.sol";
import {EscrowMessages} from "./libraries/EscrowMessages.sol";
import {HoldingWord} from "./libraries/HoldingWord.sol";

/// @title What an escrow does to the books
/// @notice Three moves: a line is held, paid, or returned. Each milestone's outcome is written once.
abstract contract EscrowBooks is Evidence {
    using HoldingWord for uint256;

    /// @dev Which amount of a line a milestone's end pays.
    enum Amount {
        IfMet,
        ByDefault,
        IfUnruled
    }

    /// @dev The bit beside a milestone's Outcome that says that its payments wait.
    uint256 private constant WAITS = 4;

    // ------------------------------------------------------------------------------------------ opening

    /// @dev available -> held, title unmoved. Asked here and never again: who comes in is admitted and free.
    function _holdLine(EscrowPlan memory plan, uint256 k) internal {
        LineWords memory line = plan.lines[k];
        (address depositor, uint32 asset, uint128 quantity) = _partsOf(line, line.quantity);
        if (_accountWord(line.depositor) & ~ACCOUNT_CLASS != uint256(Standing.Admitted)) {
            _requireAdmitted(depositor);
        }
        if (_accountWord(line.beneficiary) & 0xff != uint256(Standing.Admitted)) {
            _requireAdmitted(_address(line.beneficiary));
        }
        if (_accounts[depositor].frozen) revert ILedger.AccountIsFrozen(depositor);
        if (!_isOpen(asset)) {
            if (_assets[asset].class == AssetClass.None) revert ILedger.AssetUnknown(asset);
            revert ILedger.AssetIsFrozen(asset);
        }
        uint256 slot = _slotOf(line.depositor, line.asset);
        uint256 word = _holdingAt(slot);
        if (word.available() < quantity) {
            revert ILedger.HoldingTooSmall(depositor, asset, word.available(), quantity);
        }
        word = word.hold(quantity);
        _setHoldingAt(slot, word);
        // Below MAX_ESCROW_LINES.
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IEscrow.LineHeld(plan.id, uint8(k), depositor, asset, quantity, word);
    }

    function _requireAdmitted(address account) private view {
        Standing standing = _accounts[account].standing;
        if (standing != Standing.Admitted) revert ILedger.AccountNotAdmitted(account, standing);
    }

    // ------------------------------------------------------------------------------------------ ending

    /// @dev The one way to an outcome, whatever is frozen: what each line pays is fixed, and whether it waits.
    function _fix(EscrowPlan memory plan, uint256 milestone, EndedBy by, uint128[] memory paid)
        internal
        returns (bool waits)
    {
        EscrowState storage state = _escrows[plan.id];
        (uint256 first, uint256 count) = _linesOf(plan, milestone);
        bool all = true;
        bool none = true;
        for (uint256 k = 0; k < count; ++k) {
            LineWords memory line = plan.lines[first + k];
            if (paid[k] != line.quantity) all = false;
            if (paid[k] == 0) continue;
            none = false;
            if (_isStopped(line)) waits = true;
        }
        Outcome outcome = all ? Outcome.Released : none ? Outcome.Refunded : Outcome.Split;
        uint256 bits = uint256(outcome) | (waits ? WAITS : 0);
        // Three bits for each of eight milestones; and a hash, with the seconds since the opening, which are 32 bits.
        // forge-lint: disable-start(unsafe-typecast)
        state.outcomes |= uint32(bits << (3 * milestone));
        if (waits) {
            uint256 seconds_ = block.timestamp - state.openedAt;
            _waiting[plan.id][milestone] =
                uint256(EscrowMessages.amounts(paid)) >> 32 << 32 | seconds_;
        }
        emit IEscrow.MilestoneEnded(plan.id, uint8(milestone), by, outcome, waits, paid);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @dev Gives back what is not paid, and pays, unless payments wait.
    function _distribute(
        EscrowPlan memory plan,
        uint256 milestone,
        uint128[] memory paid,
        bool waits
    ) internal {
        (uint256 first, uint256 count) = _linesOf(plan, milestone);
        for (uint256 k = 0; k < count; ++k) {
            uint256 rest = plan.lines[first + k].quantity - paid[k];
            if (rest != 0) _returnLine(plan, first + k, rest);
            if (!waits && paid[k] != 0) _payLine(plan, first + k, paid[k]);
        }
    }

    /// @dev Makes payments that waited, or gives them back. Nobody is paid without paying.
    function _endWait(EscrowPlan memory plan, uint256 milestone, uint128[] memory paid, bool back)
        internal
    {
        delete _waiting[plan.id][milestone];
        // Three bits for each of eight milestones.
        // forge-lint: disable-next-line(unsafe-typecast)
        _escrows[plan.id].outcomes &= ~uint32(WAITS << (3 * milestone));
        (uint256 first, uint256 count) = _linesOf(plan, milestone);
        for (uint256 k = 0; k < count; ++k) {
            if (paid[k] == 0) continue;
            if (back) _returnLine(plan, first + k, paid[k]);
            else _payLine(plan, first + k, paid[k]);
        }
    }

    /// @dev held -> available of the depositor, whatever anybody's standing is (law L5).
    function _returnLine(EscrowPlan memory plan, uint256 k, uint256 quantity_) private {
        LineWords memory line = plan.lines[k];
        (address depositor, uint32 asset, uint128 quantity) = _partsOf(line, quantity_);
        uint256 slot = _slotOf(line.depositor, line.asset);
        uint256 word = _holdingAt(slot).unhold(quantity);
        _setHoldingAt(slot, word);
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IEscrow.LineReturned(plan.id, uint8(k), depositor, asset, quantity, word);
    }

    /// @dev held of the depositor -> available of the beneficiary, another account. What arrives stays within the
    /// asset's supply.
    function _payLine(EscrowPlan memory plan, uint256 k, uint256 quantity_) private {
        LineWords memory line = plan.lines[k];
        (address depositor, uint32 asset, uint128 quantity) = _partsOf(line, quantity_);
        uint256 from = _slotOf(line.depositor, line.asset);
        uint256 to = _slotOf(line.beneficiary, line.asset);
        uint256 left = _holdingAt(from) - (quantity_ << 128);
        uint256 got = _holdingAt(to) + quantity_;
        _setHoldingAt(from, left);
        _setHoldingAt(to, got);
        // forge-lint: disable-start(unsafe-typecast)
        emit IEscrow.LinePaid(
            plan.id, uint8(k), asset, depositor, _address(line.beneficiary), quantity, left, got
        );
        // forge-lint: disable-end(unsafe-typecast)
    }

    // ------------------------------------------------------------------------------------------ facts

    /// @dev A freeze keeps this line from paying; receivers are credited whatever their state.
    function _isStopped(LineWords memory line) internal view returns (bool) {
        return _accounts[_address(line.depositor)].frozen || !_isOpen(line.asset);
    }

    /// @dev The Outcome of a milestone, from the escrow's word.
    function _outcomeOf(uint256 outcomes, uint256 milestone) internal pure returns (uint256) {
        return (outcomes >> (3 * milestone)) & 3;
    }

    function _linesOf(EscrowPlan memory plan, uint256 milestone)
        internal
        pure
        returns (uint256 first, uint256 count)
    {
        // Bound: MAX_ESCROW_LINES, grouped by milestone.
        for (uint256 k = plan.lines.length; k != 0; --k) {
            if (plan.lines[k - 1].milestone != milestone) continue;
            first = k - 1;
            ++count;
        }
    }

    /// @dev The amounts that the terms state for an end.
    function _stated(EscrowPlan memory plan, uint256 milestone, Amount amount)
        internal
        pure
        returns (uint128[] memory paid)
    {
        (uint256 first, uint256 count) = _linesOf(plan, milestone);
        paid = new uint128[](count);
        for (uint256 k = 0; k < count; ++k) {
            LineWords memory line = plan.lines[first + k];
            uint256 chosen = amount == Amount.IfMet
                ? line.ifMet
                : amount == Amount.ByDefault ? line.byDefault : line.ifUnruled;
            // A clean word.
            // forge-lint: disable-next-line(unsafe-typecast)
            paid[k] = uint128(chosen);
        }
    }

    /// @dev The amounts that somebody brought, one a line of the milestone, none above what is held.
    function _brought(EscrowPlan memory plan, uint256 milestone, uint128[] calldata paid)
        internal
        pure
        returns (uint128[] memory)
    {
        (uint256 first, uint256 count) = _linesOf(plan, milestone);
        if (paid.length != count) revert IEscrow.PaidListInvalid(paid.length, count);
        for (uint256 k = 0; k < count; ++k) {
            uint256 quantity = plan.lines[first + k].quantity;
            if (paid[k] > quantity) revert IEscrow.SplitDoesNotSum(first + k, paid[k], quantity);
        }
        return paid;
    }

    function _partsOf(LineWords memory line, uint256 quantity)
        private
        pure
        returns (address depositor, uint32 asset, uint128 quantity_)
    {
        // Clean words.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (_address(line.depositor), uint32(line.asset), uint128(quantity));
    }
}
