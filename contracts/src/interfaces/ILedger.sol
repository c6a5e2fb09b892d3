// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account, Asset, AssetClass, Hold, Holding, Move, Standing} from "./Types.sol";

/// @title The books: accounts by assets, one slot a holding
/// @notice Value is available or held. Per asset the sum of all holdings changes only by issue and redeem
/// (law L2). Nothing here calls another contract while it moves value, except a signer that is a wallet,
/// by a static call and before any effect.
interface ILedger {
    /// @notice The account's standing or class changed; its freeze and withdrawals did not.
    event StandingSet(address indexed account, Standing standing, uint8 class);
    event AccountFrozen(address indexed account, bool frozen, bytes4 reason);
    event AssetFrozen(uint32 indexed asset, bool frozen, bytes4 reason);
    event AssetCreated(
        uint32 indexed asset, AssetClass class, uint8 decimals, bytes12 code, address issuer
    );
    event ModuleSet(address indexed module, bool active);

    /// @notice Value came into being. `after_` is the account's holding with it.
    event Issued(
        uint32 indexed asset,
        address indexed account,
        bytes32 indexed ref,
        uint128 quantity,
        Holding holding,
        uint128 totalSupply
    );

    /// @notice Value was redeemed under its holder's signature.
    event Redeemed(
        uint32 indexed asset,
        address indexed account,
        bytes32 indexed ref,
        uint64 nonce,
        uint128 quantity,
        Holding holding,
        uint128 totalSupply
    );

    /// @notice One leg of an instruction moved. Both holdings are as they stand after this leg, each as it is
    /// stored: available in the low 128 bits, held in the high. (The one event of the hot path: two words less
    /// are 500 gas less a leg.)
    event Posted(
        bytes32 indexed instruction,
        uint32 indexed asset,
        address deliverer,
        address receiver,
        uint128 quantity,
        uint256 delivererHolding,
        uint256 receiverHolding
    );

    /// @notice One line of a module's posting.
    event Moved(
        address indexed module,
        bytes32 indexed id,
        uint32 asset,
        address account,
        int256 delta,
        Holding holding
    );

    /// @notice Available value became held. `purpose` is the id of the instruction or the module's own;
    /// `index` is the leg or the module's own number.
    event HoldPlaced(
        bytes32 indexed purpose,
        uint8 index,
        address module,
        address account,
        uint32 asset,
        uint128 quantity,
        uint64 deadline,
        Holding holding
    );

    /// @notice Held value became available again; executed says that a leg or a move takes it next.
    event HoldEnded(
        bytes32 indexed purpose,
        uint8 index,
        address module,
        address account,
        uint32 asset,
        uint128 quantity,
        uint64 deadline,
        bool executed,
        Holding holding
    );

    error AccountNotAdmitted(address account, Standing standing);
    error AccountIsFrozen(address account);
    error AssetUnknown(uint32 asset);
    error AssetIsFrozen(uint32 asset);
    error AssetInvalid(AssetClass class, uint8 decimals, bytes12 code);
    error AssetCodeTaken(bytes12 code, uint32 asset);
    error QuantityIsZero();
    error SupplyTooLarge(uint32 asset, uint256 supply, uint128 max);
    error HoldingTooSmall(address account, uint32 asset, uint256 available, uint256 needed);
    error HoldingTooLarge(address account, uint32 asset, uint256 quantity);
    error ModuleNotActive(address module);
    error HoldNotLive(bytes32 hold);
    error HoldAlreadyLive(bytes32 hold);
    error HoldOfAnotherModule(address module, address caller);
    error HoldNotReleasable(bytes32 hold, uint64 deadline, uint256 now_);
    error DeadlinePassed(uint64 deadline, uint256 now_);
    error DeadlineTooFar(uint64 deadline, uint256 latest);
    error TooManyMoves(uint256 moves, uint256 max);
    error MovesNotGroupedByAsset(uint32 asset, uint32 previous);
    error MovesNotZeroSum(uint32 asset, int256 sum);
    error MoveOutOfRange(uint32 asset, int256 delta);
    error NonceUsed(address account, uint64 nonce);
    error SignatureInvalid(address account);

    /// @notice Sets whether an account may settle. Freeze and withdrawals stay as they are.
    /// @dev Requires: the registry (the Participants contract).
    function setStanding(address account, Standing standing, uint8 class) external;

    /// @notice Stops or allows debits of an account. Credits, releases and exits go on.
    /// @dev Requires: the compliance role.
    function freezeAccount(address account, bool frozen, bytes4 reason) external;

    /// @notice Stops or allows debits of an asset.
    /// @dev Requires: the compliance role.
    function freezeAsset(uint32 asset, bool frozen, bytes4 reason) external;

    /// @notice Adds an asset under the next number. Codes are unique.
    /// @dev Requires: the registrar role.
    // slither-disable-next-line shadowing-local
    function createAsset(AssetClass class, uint8 decimals, bytes12 code, address issuer)
        external
        returns (uint32 asset);

    /// @notice Lets a contract move value in `placeHold` and `post`, or stops it. Its holds stay releasable.
    /// @dev Requires: the administrator role, under its delay.
    function setModule(address module, bool active) external;

    /// @notice Brings value into being in an admitted account.
    /// @dev Requires: the issuer role. Law: L2.
    function issue(uint32 asset, address account, uint128 quantity, bytes32 ref) external;

    /// @notice Takes value out of the books under its holder's signature over
    /// `Redemption(address account,uint32 asset,uint128 quantity,bytes32 ref,uint64 nonce,uint64 validBy)`.
    /// @dev Requires: the issuer role; a nonce of the holder that is open. Law: L2, L3, L4.
    function redeem(
        address account,
        uint32 asset,
        uint128 quantity,
        bytes32 ref,
        uint64 nonce,
        uint64 validBy,
        bytes calldata signature
    ) external;

    /// @notice Reserves value for the calling module.
    /// @dev Requires: an active module that holds the owner's consent; the owner admitted and free to
    /// deliver; a deadline in the future and at most MAX_WINDOW away. Law: L3, L10.
    function placeHold(Hold calldata hold) external;

    /// @notice Gives held value back to its owner: the module at any time, anyone from the deadline on.
    /// @dev Asks nothing of anybody's standing, of freezes, or of whether the module is still active. Law: L5.
    function releaseHold(Hold calldata hold) external;

    /// @notice The only way in which a module moves value: ends the given holds in favour of their owners,
    /// then posts the moves, whose sum per asset is zero.
    /// @dev Requires: an active module; holds of its own before their deadline; moves grouped by asset in
    /// ascending order; debited accounts and assets not frozen. Law: L1, L2, L7, L9.
    function post(bytes32 id, Hold[] calldata executed, Move[] calldata moves) external;

    function holdingOf(address account, uint32 asset) external view returns (Holding memory);
    function accountOf(address account) external view returns (Account memory);
    function assetOf(uint32 asset) external view returns (Asset memory);
    function assetByCode(bytes12 code) external view returns (uint32 asset);
    function assetCount() external view returns (uint32);
    function isModule(address module) external view returns (bool);

    /// @notice Whether a module's hold is live. The reservations of an instruction are told by `liveState`.
    function isLive(Hold calldata hold) external view returns (bool);

    /// @notice The reads of ERC-6909, so that ordinary tools show the books. There is no free transfer and
    /// no approval: value moves only by what its owner signed.
    function balanceOf(address owner, uint256 id) external view returns (uint256);
    function allowance(address owner, address spender, uint256 id) external view returns (uint256);
    function isOperator(address owner, address spender) external view returns (bool);
    function totalSupply(uint256 id) external view returns (uint256);
    function decimals(uint256 id) external view returns (uint8);
    function symbol(uint256 id) external view returns (string memory);
}
