// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Books} from "./Books.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {
    Account,
    Asset,
    AssetClass,
    Hold,
    Holding,
    MAX_MOVES,
    MAX_WINDOW,
    Move,
    Standing
} from "./interfaces/Types.sol";
import {HoldingWord} from "./libraries/HoldingWord.sol";
import {NonceBits} from "./libraries/NonceBits.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Typed} from "./libraries/Typed.sol";
import {Window} from "./libraries/Window.sol";

/// @title The books
/// @dev Law: L2, L3, L5, L8, L9. Signed settlement is the other half of the same deployed contract, so that
/// what moves value is what checks the signatures; modules have `placeHold`, `releaseHold` and `post`.
abstract contract Ledger is Books, ILedger {
    using HoldingWord for uint256;
    using NonceBits for NonceBits.Space;

    // ------------------------------------------------------------------------------------------ registry

    /// @inheritdoc ILedger
    function setStanding(address account, Standing standing, uint8 class) external restricted {
        Account storage entry = _accounts[account];
        entry.standing = standing;
        entry.class = class;
        emit StandingSet(account, standing, class);
    }

    /// @inheritdoc ILedger
    function freezeAccount(address account, bool frozen, bytes4 reason) external restricted {
        _accounts[account].frozen = frozen;
        emit AccountFrozen(account, frozen, reason);
    }

    /// @inheritdoc ILedger
    function freezeAsset(uint32 asset, bool frozen, bytes4 reason) external restricted {
        _requireKnown(asset);
        _assets[asset].frozen = frozen;
        _setOpen(asset, !frozen);
        emit AssetFrozen(asset, frozen, reason);
    }

    /// @inheritdoc ILedger
    function createAsset(AssetClass class, uint8 decimals_, bytes12 code, address issuer)
        external
        restricted
        returns (uint32 asset)
    {
        if (class == AssetClass.None || decimals_ > 18 || !_isCode(code)) {
            revert AssetInvalid(class, decimals_, code);
        }
        if (_assetByCode[code] != 0) revert AssetCodeTaken(code, _assetByCode[code]);
        asset = ++_assetCount;
        _assets[asset] = Asset({
            class: class,
            decimals: decimals_,
            frozen: false,
            code: code,
            issuer: issuer,
            totalSupply: 0
        });
        _assetByCode[code] = asset;
        _setOpen(asset, true);
        emit AssetCreated(asset, class, decimals_, code, issuer);
    }

    /// @inheritdoc ILedger
    function setModule(address module, bool active) external restricted {
        _modules[module] = active;
        emit ModuleSet(module, active);
    }

    // ------------------------------------------------------------------------------------------ supply

    /// @inheritdoc ILedger
    function issue(uint32 asset, address account, uint128 quantity, bytes32 ref)
        external
        restricted
    {
        _requireOpen(asset);
        _requireAdmitted(account);
        if (quantity == 0) revert QuantityIsZero();
        uint256 supply = uint256(_assets[asset].totalSupply) + quantity;
        if (supply > type(uint128).max) revert SupplyTooLarge(asset, supply, type(uint128).max);
        // The sum of all holdings is the supply, so that no holding can overflow where the supply does not.
        // forge-lint: disable-next-line(unsafe-typecast)
        _assets[asset].totalSupply = uint128(supply);
        uint256 word = _credit(account, asset, quantity);
        emit Issued(asset, account, ref, quantity, word.read(), uint128(supply));
    }

    /// @inheritdoc ILedger
    function redeem(
        address account,
        uint32 asset,
        uint128 quantity,
        bytes32 ref,
        uint64 nonce,
        uint64 validBy,
        bytes calldata signature
    ) external restricted {
        _requireOpen(asset);
        if (quantity == 0) revert QuantityIsZero();
        if (Window.over(validBy)) revert DeadlinePassed(validBy, block.timestamp);
        if (_nonces[account].get(nonce) != NonceBits.OPEN) revert NonceUsed(account, nonce);
        if (_accounts[account].frozen) revert AccountIsFrozen(account);
        bytes32 digest =
            _hashTypedDataV4(Typed.redemption(account, asset, quantity, ref, nonce, validBy));
        if (!Signatures.binds(digest, account, signature)) revert SignatureInvalid(account);

        _nonces[account].move(nonce, NonceBits.OPEN, NonceBits.SETTLED);
        uint256 word = _debit(account, asset, quantity);
        _assets[asset].totalSupply -= quantity;
        emit Redeemed(asset, account, ref, nonce, quantity, word.read(), _assets[asset].totalSupply);
    }

    // ------------------------------------------------------------------------------------------ modules

    /// @inheritdoc ILedger
    function placeHold(Hold calldata hold) external {
        _requireModule();
        if (hold.module != msg.sender) revert HoldOfAnotherModule(hold.module, msg.sender);
        if (hold.quantity == 0) revert QuantityIsZero();
        if (Window.over(hold.deadline)) revert DeadlinePassed(hold.deadline, block.timestamp);
        if (Window.tooFar(hold.deadline, MAX_WINDOW)) {
            revert DeadlineTooFar(hold.deadline, block.timestamp + MAX_WINDOW);
        }
        _requireOpen(hold.asset);
        _requireAdmitted(hold.account);
        if (_accounts[hold.account].frozen) revert AccountIsFrozen(hold.account);
        bytes32 id = keccak256(abi.encode(hold));
        if (_liveHolds[id]) revert HoldAlreadyLive(id);

        _liveHolds[id] = true;
        _hold(hold);
    }

    /// @inheritdoc ILedger
    function releaseHold(Hold calldata hold) external {
        bytes32 id = keccak256(abi.encode(hold));
        if (!_liveHolds[id]) revert HoldNotLive(id);
        if (hold.module != msg.sender && !Window.over(hold.deadline)) {
            revert HoldNotReleasable(id, hold.deadline, block.timestamp);
        }
        _liveHolds[id] = false;
        _unhold(hold, false);
    }

    /// @inheritdoc ILedger
    function post(bytes32 id, Hold[] calldata executed, Move[] calldata moves) external {
        _requireModule();
        if (executed.length + moves.length > MAX_MOVES) {
            revert TooManyMoves(executed.length + moves.length, MAX_MOVES);
        }
        for (uint256 k = 0; k < executed.length; ++k) {
            _execute(executed[k]);
        }
        uint32 asset = 0;
        int256 sum = 0;
        for (uint256 k = 0; k < moves.length; ++k) {
            Move calldata line = moves[k];
            if (k == 0 || line.asset != asset) {
                if (line.asset < asset) revert MovesNotGroupedByAsset(line.asset, asset);
                if (sum != 0) revert MovesNotZeroSum(asset, sum);
                asset = line.asset;
                _requireOpen(asset);
            }
            sum += line.delta;
            _move(id, line);
        }
        if (sum != 0) revert MovesNotZeroSum(asset, sum);
    }

    function _execute(Hold calldata hold) private {
        bytes32 id = keccak256(abi.encode(hold));
        if (hold.module != msg.sender) revert HoldOfAnotherModule(hold.module, msg.sender);
        if (!_liveHolds[id]) revert HoldNotLive(id);
        if (Window.over(hold.deadline)) revert DeadlinePassed(hold.deadline, block.timestamp);
        _liveHolds[id] = false;
        _unhold(hold, true);
    }

    function _move(bytes32 id, Move calldata line) private {
        int256 delta = line.delta;
        uint256 quantity;
        // The least int256 has no positive twin: it stays what it is and is refused below as too large.
        unchecked {
            quantity = delta < 0 ? uint256(-delta) : uint256(delta);
        }
        if (quantity == 0 || quantity > type(uint128).max) {
            revert MoveOutOfRange(line.asset, delta);
        }
        uint256 word;
        if (delta < 0) {
            if (_accounts[line.account].frozen) revert AccountIsFrozen(line.account);
            word = _debit(line.account, line.asset, quantity);
        } else {
            _requireNotUnknown(line.account);
            word = _credit(line.account, line.asset, quantity);
        }
        emit Moved(msg.sender, id, line.asset, line.account, delta, word.read());
    }

    // ------------------------------------------------------------------------------------------ views

    /// @inheritdoc ILedger
    function holdingOf(address account, uint32 asset) external view returns (Holding memory) {
        return _holdings[_key(account, asset)].read();
    }

    /// @inheritdoc ILedger
    function accountOf(address account) external view returns (Account memory) {
        return _accounts[account];
    }

    /// @inheritdoc ILedger
    function assetOf(uint32 asset) external view returns (Asset memory) {
        return _assets[asset];
    }

    /// @inheritdoc ILedger
    function assetByCode(bytes12 code) external view returns (uint32) {
        return _assetByCode[code];
    }

    /// @inheritdoc ILedger
    function assetCount() external view returns (uint32) {
        return _assetCount;
    }

    /// @inheritdoc ILedger
    function isModule(address module) external view returns (bool) {
        return _modules[module];
    }

    /// @inheritdoc ILedger
    function isLive(Hold calldata hold) external view returns (bool) {
        return _liveHolds[keccak256(abi.encode(hold))];
    }

    /// @inheritdoc ILedger
    function balanceOf(address owner, uint256 id) external view returns (uint256) {
        if (id > type(uint32).max) return 0;
        // forge-lint: disable-next-line(unsafe-typecast)
        uint256 word = _holdings[_key(owner, uint32(id))];
        return word.available() + (word >> 128);
    }

    /// @inheritdoc ILedger
    function allowance(address, address, uint256) external pure returns (uint256) {
        return 0;
    }

    /// @inheritdoc ILedger
    function isOperator(address, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc ILedger
    function totalSupply(uint256 id) external view returns (uint256) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return id > type(uint32).max ? 0 : _assets[uint32(id)].totalSupply;
    }

    /// @inheritdoc ILedger
    function decimals(uint256 id) external view returns (uint8) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return id > type(uint32).max ? 0 : _assets[uint32(id)].decimals;
    }

    /// @inheritdoc ILedger
    function symbol(uint256 id) external view returns (string memory text) {
        // forge-lint: disable-next-line(unsafe-typecast)
        bytes12 code = id > type(uint32).max ? bytes12(0) : _assets[uint32(id)].code;
        uint256 length = 0;
        while (length < 12 && code[length] != 0) ++length;
        bytes memory letters = new bytes(length);
        for (uint256 k = 0; k < length; ++k) {
            letters[k] = code[k];
        }
        return string(letters);
    }

    // ------------------------------------------------------------------------------------------ internals

    /// @dev Visible ASCII, then nothing: two codes that print alike are the same.
    function _isCode(bytes12 code) private pure returns (bool) {
        bool ended = false;
        for (uint256 k = 0; k < 12; ++k) {
            if (code[k] == 0) ended = true;
            else if (ended || code[k] < 0x21 || code[k] > 0x7e) return false;
        }
        return code[0] != 0;
    }

    function _setOpen(uint32 asset, bool open) private {
        uint256 bit = uint256(1) << (asset & 255);
        if (open) _openAssets[asset >> 8] |= bit;
        else _openAssets[asset >> 8] &= ~bit;
    }

    function _credit(address account, uint32 asset, uint256 quantity)
        private
        returns (uint256 word)
    {
        uint256 key = _key(account, asset);
        word = _holdings[key];
        // Within one posting credits may run ahead of debits, and so of the supply: refused, not wrapped.
        if (word.available() + (word >> 128) + quantity > type(uint128).max) {
            revert HoldingTooLarge(account, asset, quantity);
        }
        word += quantity;
        _holdings[key] = word;
    }

    function _debit(address account, uint32 asset, uint256 quantity)
        private
        returns (uint256 word)
    {
        uint256 key = _key(account, asset);
        word = _holdings[key];
        if (word.available() < quantity) {
            revert HoldingTooSmall(account, asset, word.available(), quantity);
        }
        word -= quantity;
        _holdings[key] = word;
    }

    function _requireModule() private view {
        if (!_modules[msg.sender]) revert ModuleNotActive(msg.sender);
    }

    function _requireKnown(uint32 asset) private view {
        if (_assets[asset].class == AssetClass.None) revert AssetUnknown(asset);
    }

    function _requireOpen(uint32 asset) private view {
        if (_isOpen(asset)) return;
        _requireKnown(asset);
        revert AssetIsFrozen(asset);
    }

    function _requireAdmitted(address account) private view {
        Standing standing = _accounts[account].standing;
        if (standing != Standing.Admitted) revert AccountNotAdmitted(account, standing);
    }

    /// @dev A module's outcome may credit a suspended account, never one that nobody admitted.
    function _requireNotUnknown(address account) private view {
        if (_accounts[account].standing == Standing.Unknown) {
            revert AccountNotAdmitted(account, Standing.Unknown);
        }
    }
}
