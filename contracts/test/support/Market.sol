// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAffirmation} from "../../src/interfaces/IAffirmation.sol";
import {
    AssetClass,
    Instruction,
    Leg,
    MAX_LEGS,
    Reason,
    SignedInstruction,
    Standing
} from "../../src/interfaces/Types.sol";

import {IBooks} from "./IBooks.sol";
import {Test} from "./Test.sol";
import {Wallet} from "./Wallet.sol";

/// @notice A deployed market with three parties and four assets, and the words to trade in it.
/// @dev The test itself administers; who may do what in production is the subject of Authority's tests.
/// Contracts are deployed by name, so that no test carries and compiles the code of another contract.
abstract contract Market is Test {
    AccessManager internal authority;
    address internal half;
    address internal escrowCode;
    IBooks internal books;

    uint256 internal constant NOON = 1_800_000_000;
    uint64 internal constant OPENS = uint64(NOON);
    uint64 internal constant CLOSES = uint64(NOON + 1 days);

    uint32 internal constant BOND = 1;
    uint32 internal constant EURO = 2;
    uint32 internal constant DOLLAR = 3;
    uint32 internal constant SHARE = 4;

    uint128 internal constant PIECES = 100;
    uint128 internal constant PRICE = 9950;

    address internal seller;
    address internal buyer;
    address internal agent;
    address internal stranger;

    mapping(address account => uint256) internal keyFor;

    bytes[] internal nothing;

    function setUp() public virtual {
        vm.warp(NOON);
        deployBooks();
        books.createAsset(AssetClass.Security, 0, "XS0000000009", address(this));
        books.createAsset(AssetClass.CentralBankMoney, 2, "EUR", address(this));
        books.createAsset(AssetClass.DepositMoney, 2, "USD", address(this));
        books.createAsset(AssetClass.Security, 0, "DE0000000001", address(this));
        seller = admitted("seller");
        buyer = admitted("buyer");
        agent = admitted("agent");
        stranger = named("stranger");
    }

    function deployBooks() internal {
        authority = AccessManager(
            vm.deployCode("AccessManager.sol:AccessManager", abi.encode(address(this)))
        );
        half = vm.deployCode("Affirmation.sol:Affirmation", abi.encode(authority));
        escrowCode = vm.deployCode("Escrow.sol:Escrow", abi.encode(authority));
        books = IBooks(
            vm.deployCode("Settlement.sol:Settlement", abi.encode(authority, half, escrowCode))
        );
    }

    // ---------------------------------------------------------------- parties and value

    function named(string memory name) internal returns (address account) {
        uint256 key;
        (account, key) = keyOf(name);
        keyFor[account] = key;
    }

    function admitted(string memory name) internal returns (address account) {
        account = named(name);
        books.setStanding(account, Standing.Admitted, 0);
    }

    /// @notice An admitted account that is a contract; the key that stands for it is its owner's.
    function wallet(string memory name) internal returns (Wallet account) {
        (address owner, uint256 key) = keyOf(name);
        account = Wallet(vm.deployCode("Wallet.sol:Wallet", abi.encode(owner)));
        keyFor[address(account)] = key;
        books.setStanding(address(account), Standing.Admitted, 0);
    }

    /// @notice Gives each side of the usual trade what it delivers.
    function fund() internal {
        give(seller, BOND, PIECES);
        give(buyer, EURO, PRICE);
    }

    function give(address account, uint32 asset, uint128 quantity) internal {
        books.issue(asset, account, quantity, "opening");
    }

    function available(address account, uint32 asset) internal view returns (uint256) {
        return books.holdingOf(account, asset).available;
    }

    function held(address account, uint32 asset) internal view returns (uint256) {
        return books.holdingOf(account, asset).held;
    }

    function assertHolds(address account, uint32 asset, uint256 available_, uint256 held_)
        internal
        view
    {
        assertEq(available(account, asset), available_, "available");
        assertEq(held(account, asset), held_, "held");
    }

    // ---------------------------------------------------------------- terms

    function leg(uint32 asset, address deliverer, address receiver, uint128 quantity)
        internal
        pure
        returns (Leg memory)
    {
        return Leg({asset: asset, deliverer: deliverer, receiver: receiver, quantity: quantity});
    }

    /// @notice An instruction of so many empty legs, open for a day.
    function terms(address initiator, uint64 nonce, uint256 legs)
        internal
        pure
        returns (Instruction memory instruction)
    {
        instruction.initiator = initiator;
        instruction.nonce = nonce;
        instruction.settleFrom = OPENS;
        instruction.settleBy = CLOSES;
        instruction.tradeRef = "trade";
        instruction.terms = "terms";
        instruction.legs = new Leg[](legs);
    }

    /// @notice Delivery versus payment: the seller initiates, bonds against euros.
    function dvp(uint64 nonce) internal view returns (Instruction memory instruction) {
        instruction = terms(seller, nonce, 2);
        instruction.legs[0] = leg(BOND, seller, buyer, PIECES);
        instruction.legs[1] = leg(EURO, buyer, seller, PRICE);
    }

    // ---------------------------------------------------------------- signatures

    /// @notice The accounts of the legs as the contract counts them: a twin in plain words.
    function accountsOf(Instruction memory instruction) internal pure returns (address[] memory) {
        address[] memory all = new address[](2 * instruction.legs.length);
        uint256 count = 0;
        for (uint256 k = 0; k < all.length; ++k) {
            Leg memory one = instruction.legs[k / 2];
            address account = k % 2 == 0 ? one.deliverer : one.receiver;
            bool isNew = true;
            for (uint256 j = 0; j < count; ++j) {
                if (all[j] == account) isNew = false;
            }
            if (isNew) all[count++] = account;
        }
        address[] memory accounts = new address[](count);
        for (uint256 k = 0; k < count; ++k) {
            accounts[k] = all[k];
        }
        return accounts;
    }

    /// @notice A signature of every account whose key is known, in order; empty for the others.
    function signed(Instruction memory instruction) internal view returns (bytes[] memory) {
        return signaturesOver(books.idOf(instruction), accountsOf(instruction));
    }

    function signaturesOver(bytes32 digest, address[] memory accounts)
        internal
        view
        returns (bytes[] memory signatures)
    {
        signatures = new bytes[](accounts.length);
        for (uint256 k = 0; k < accounts.length; ++k) {
            uint256 key = keyFor[accounts[k]];
            if (key != 0) signatures[k] = signatureOf(key, digest);
        }
    }

    /// @notice The digest of a message in the domain of the books, from the words of EIP-712.
    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("settle"),
                keccak256("1"),
                block.chainid,
                address(books)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    string internal constant RELEASE = "Release(address account,bytes32 instruction)";
    string internal constant WITHDRAWAL = "Withdrawal(address account,bytes32 instruction)";

    /// @notice Digest of a release or a withdrawal.
    function about(string memory messageType, address account, bytes32 id)
        internal
        view
        returns (bytes32)
    {
        return digestOf(keccak256(abi.encode(keccak256(bytes(messageType)), account, id)));
    }

    function reservationOf(address account, bytes32 id, bool committed)
        internal
        view
        returns (bytes32)
    {
        bytes32 messageType =
            keccak256("Reservation(address account,bytes32 instruction,bool committed)");
        return digestOf(keccak256(abi.encode(messageType, account, id, committed)));
    }

    function cancellationOf(address account, bytes32 id, uint64 validBy)
        internal
        view
        returns (bytes32)
    {
        bytes32 messageType =
            keccak256("Cancellation(address account,bytes32 instruction,uint64 validBy)");
        return digestOf(keccak256(abi.encode(messageType, account, id, validBy)));
    }

    /// @notice The account's signature under a release or a withdrawal of its own.
    function signedAbout(string memory messageType, address account, bytes32 id)
        internal
        view
        returns (bytes memory)
    {
        return signatureBy(account, about(messageType, account, id));
    }

    /// @notice Signatures of all accounts under a cancellation, good until the instruction lapses.
    function cancellationsOf(Instruction memory instruction)
        internal
        view
        returns (bytes[] memory list)
    {
        address[] memory accounts = accountsOf(instruction);
        list = new bytes[](accounts.length);
        for (uint256 k = 0; k < list.length; ++k) {
            list[k] = signatureBy(
                accounts[k],
                cancellationOf(accounts[k], books.idOf(instruction), instruction.settleBy)
            );
        }
    }

    function signatureBy(address account, bytes32 digest) internal view returns (bytes memory) {
        return signatureOf(keyFor[account], digest);
    }

    // ---------------------------------------------------------------- acts and refusals

    function reasonOf(bytes4 code, uint8 index, address who, uint256 needed, uint256 have)
        internal
        pure
        returns (Reason memory)
    {
        return Reason({code: code, leg: index, who: who, needed: needed, have: have});
    }

    function reasonOf(bytes4 code, uint8 index, address who) internal pure returns (Reason memory) {
        return reasonOf(code, index, who, 0, 0);
    }

    function refusal(bytes32 id, Reason memory reason) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IAffirmation.Refused.selector, id, reason);
    }

    /// @notice A call to the books by anybody; whether it went through.
    function attempt(address caller, bytes memory call_) internal returns (bool success) {
        vm.prank(caller);
        (success,) = address(books).call(call_);
    }

    /// @notice A call to the books by anybody that must revert with exactly this.
    function assertReverts(address caller, bytes memory call_, bytes memory error_) internal {
        vm.prank(caller);
        (bool success, bytes memory answer) = address(books).call(call_);
        assertFalse(success, "must be refused");
        assertEq(answer, error_, "refused with");
    }

    function assertRefused(
        address caller,
        bytes memory call_,
        Instruction memory instruction,
        Reason memory reason
    ) internal {
        assertReverts(caller, call_, refusal(books.idOf(instruction), reason));
    }

    /// @notice Settling must be refused for this first reason, by `settle`, `whyNot` and `settleMany` alike.
    function assertUnsettled(
        Instruction memory instruction,
        bytes[] memory signatures,
        Reason memory reason
    ) internal {
        bytes32 id = instruction.legs.length > MAX_LEGS ? bytes32(0) : books.idOf(instruction);
        bytes memory call_ = abi.encodeCall(books.settle, (instruction, signatures));
        assertReverts(stranger, call_, refusal(id, reason));
        Reason[] memory reasons = books.whyNot(instruction, signatures);
        assertGt(reasons.length, 0, "whyNot has reasons");
        assertEq(abi.encode(reasons[0]), abi.encode(reason), "whyNot");
        bytes4 code = books.settleMany(listOf(instruction, signatures))[0];
        assertEq(bytes32(code), bytes32(reason.code), "settleMany");
    }

    function assertUnsettled(Instruction memory instruction, Reason memory reason) internal {
        assertUnsettled(instruction, signed(instruction), reason);
    }

    /// @notice Settles with all signatures, sent by a stranger.
    function settle(Instruction memory instruction) internal {
        bytes[] memory signatures = signed(instruction);
        vm.prank(stranger);
        books.settle(instruction, signatures);
    }

    function listOf(Instruction memory instruction, bytes[] memory signatures)
        internal
        pure
        returns (SignedInstruction[] memory list)
    {
        list = new SignedInstruction[](1);
        list[0] = SignedInstruction(instruction, signatures);
    }
}
