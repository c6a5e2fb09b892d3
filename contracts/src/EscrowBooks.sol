// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EndedBy, IEscrow, Outcome} from "./interfaces/IEscrow.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {AssetClass, Standing} from "./interfaces/Types.sol";
import {Evidence} from "./Evidence.sol";
import {EscrowPlan, LINE_SIZE, LineWords} from "./libraries/EscrowPlan.sol";
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
        LineWords memory line = plan.firstLine;
        // The line of that number, which the caller keeps below their count.
        assembly ("memory-safe") {
            line := add(line, mul(k, LINE_SIZE))
        }
        (address depositor, uint32 asset, uint128 quantity) = _partsOf(line, line.quantity);
        // The plain account, admitted and with nothing against it, is told by one look at its one word.
        bool plain = _accountWord(line.depositor) & ~ACCOUNT_CLASS == uint256(Standing.Admitted);
        if (!plain) _requireAdmitted(depositor);
        if (_accountWord(line.beneficiary) & type(uint8).max != uint256(Standing.Admitted)) {
            _requireAdmitted(_address(line.beneficiary));
        }
        if (!plain && _accounts[depositor].frozen) revert ILedger.AccountIsFrozen(depositor);
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
        bool all = true;
        bool none = true;
        LineWords memory line = plan.acted;
        // Bound: MAX_ESCROW_LINES; one amount a line.
        unchecked {
            for (uint256 k = 0; k < paid.length; ++k) {
                uint256 amount = paid[k];
                if (amount != line.quantity) all = false;
                if (amount != 0) {
                    none = false;
                    if (_isStopped(line)) waits = true;
                }
                // The next line; not read after the last.
                assembly ("memory-safe") {
                    line := add(line, LINE_SIZE)
                }
            }
        }
        Outcome outcome = all ? Outcome.Released : none ? Outcome.Refunded : Outcome.Split;
        uint256 bits = uint256(outcome) | (waits ? WAITS : 0);
        // A hash, and the seconds since the opening, which are 32 bits.
        // forge-lint: disable-start(unsafe-typecast)
        plan.outcomes |= bits << (3 * milestone);
        _store(plan);
        if (waits) {
            uint256 seconds_ = block.timestamp - plan.openedAt;
            _waiting[plan.id][milestone] =
                uint256(EscrowMessages.amounts(paid)) >> 32 << 32 | seconds_;
        }
        emit IEscrow.MilestoneEnded(plan.id, uint8(milestone), by, outcome, waits, paid);
        // forge-lint: disable-end(unsafe-typecast)
    }

    /// @dev Gives back what is not paid, and pays, unless payments wait.
    function _distribute(EscrowPlan memory plan, uint128[] memory paid, bool waits) internal {
        LineWords memory line = plan.acted;
        // Bound: MAX_ESCROW_LINES; no amount is above its line's quantity.
        unchecked {
            for (uint256 k = 0; k < paid.length; ++k) {
                uint256 amount = paid[k];
                uint256 rest = line.quantity - amount;
                if (rest != 0) _returnLine(plan, line, k, rest);
                if (!waits && amount != 0) _payLine(plan, line, k, amount);
                // The next line; not read after the last.
                assembly ("memory-safe") {
                    line := add(line, LINE_SIZE)
                }
            }
        }
    }

    /// @dev Makes payments that waited, or gives them back. Nobody is paid without paying.
    function _endWait(EscrowPlan memory plan, uint256 milestone, uint128[] memory paid, bool back)
        internal
    {
        delete _waiting[plan.id][milestone];
        plan.outcomes &= ~(WAITS << (3 * milestone));
        _store(plan);
        LineWords memory line = plan.acted;
        for (uint256 k = 0; k < paid.length; ++k) {
            uint256 amount = paid[k];
            if (amount != 0 && back) _returnLine(plan, line, k, amount);
            else if (amount != 0) _payLine(plan, line, k, amount);
            // The next line; not read after the last.
            assembly ("memory-safe") {
                line := add(line, LINE_SIZE)
            }
        }
    }

    /// @dev held -> available of the depositor, whatever anybody's standing is (law L5).
    function _returnLine(
        EscrowPlan memory plan,
        LineWords memory line,
        uint256 k,
        uint256 quantity_
    ) private {
        (address depositor, uint32 asset, uint128 quantity) = _partsOf(line, quantity_);
        uint256 slot = _slotOf(line.depositor, line.asset);
        uint256 word = _holdingAt(slot).unhold(quantity);
        _setHoldingAt(slot, word);
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IEscrow.LineReturned(plan.id, uint8(plan.first + k), depositor, asset, quantity, word);
    }

    /// @dev held of the depositor -> available of the beneficiary, another account. What arrives stays within the
    /// asset's supply.
    function _payLine(EscrowPlan memory plan, LineWords memory line, uint256 k, uint256 quantity_)
        private
    {
        (address depositor, uint32 asset, uint128 quantity) = _partsOf(line, quantity_);
        uint256 from = _slotOf(line.depositor, line.asset);
        uint256 to = _slotOf(line.beneficiary, line.asset);
        uint256 left = _holdingAt(from) - (quantity_ << 128);
        uint256 got = _holdingAt(to) + quantity_;
        _setHoldingAt(from, left);
        _setHoldingAt(to, got);
        // forge-lint: disable-start(unsafe-typecast)
        emit IEscrow.LinePaid(
            plan.id,
            uint8(plan.first + k),
            asset,
            depositor,
            _address(line.beneficiary),
            quantity,
            left,
            got
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

    /// @dev Reads the word of the escrow, EscrowState, into its plan.
    function _recall(EscrowPlan memory plan) internal view {
        EscrowState storage state = _escrows[plan.id];
        uint256 word;
        assembly ("memory-safe") {
            word := sload(state.slot)
        }
        plan.openedAt = word & type(uint64).max;
        plan.outcomes = (word >> 64) & type(uint32).max;
        plan.disputed = (word >> 96) & type(uint8).max;
        plan.withdrawn = word >> 104;
    }

    /// @dev Writes it back: read once, written once. Clean: the clock in 64 bits, three bits for each of eight
    /// milestones, one for each, one.
    function _store(EscrowPlan memory plan) internal {
        EscrowState storage state = _escrows[plan.id];
        uint256 word =
            plan.openedAt | (plan.outcomes << 64) | (plan.disputed << 96) | (plan.withdrawn << 104);
        assembly ("memory-safe") {
            sstore(state.slot, word)
        }
    }

    /// @dev Finds the lines of the milestone that is acted on.
    function _findLines(EscrowPlan memory plan, uint256 milestone) internal pure {
        LineWords memory line = plan.firstLine;
        uint256 lines = plan.lines;
        uint256 first = 0;
        uint256 end = 0;
        // Bounds: MAX_ESCROW_LINES, in the order of their milestones.
        unchecked {
            for (uint256 k = 0; k < lines; ++k) {
                if (line.milestone > milestone) break;
                end = k + 1;
                if (line.milestone < milestone) first = end;
                // The next line; not read after the last.
                assembly ("memory-safe") {
                    line := add(line, LINE_SIZE)
                }
            }
            plan.count = end - first;
        }
        plan.first = first;
        line = plan.firstLine;
        // Found in their order; of a milestone that there is.
        assembly ("memory-safe") {
            line := add(line, mul(first, LINE_SIZE))
        }
        plan.acted = line;
    }

    /// @dev The amounts that the terms state for an end.
    function _stated(EscrowPlan memory plan, Amount amount)
        internal
        pure
        returns (uint128[] memory paid)
    {
        paid = new uint128[](plan.count);
        LineWords memory line = plan.acted;
        // Bound: MAX_ESCROW_LINES.
        unchecked {
            for (uint256 k = 0; k < paid.length; ++k) {
                uint256 chosen = amount == Amount.IfMet
                    ? line.ifMet
                    : amount == Amount.ByDefault ? line.byDefault : line.ifUnruled;
                // A clean word.
                // forge-lint: disable-next-line(unsafe-typecast)
                paid[k] = uint128(chosen);
                // The next line; not read after the last.
                assembly ("memory-safe") {
                    line := add(line, LINE_SIZE)
                }
            }
        }
    }

    /// @dev The amounts that somebody brought, one a line of the milestone, none above what is held.
    function _brought(EscrowPlan memory plan, uint128[] calldata paid)
        internal
        pure
        returns (uint128[] memory)
    {
        if (paid.length != plan.count) revert IEscrow.PaidListInvalid(paid.length, plan.count);
        LineWords memory line = plan.acted;
        for (uint256 k = 0; k < paid.length; ++k) {
            if (paid[k] > line.quantity) {
                revert IEscrow.SplitDoesNotSum(plan.first + k, paid[k], line.quantity);
            }
            // The next line; not read after the last.
            assembly ("memory-safe") {
                line := add(line, LINE_SIZE)
            }
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
