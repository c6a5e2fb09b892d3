"""The form of a settlement instruction (sese.023.001.10 and .11), as far as it is accepted here.

Written in the language of `grammar`. What becomes of each element is in `sese023_policy`.
"""

from __future__ import annotations

from typing import Final

# What kind of trade it is. The confirmation (sese.025) has the same list and one code more.
_TRANSACTION_TYPES: Final = (
    "BSBK,COLI,COLO,MKDW,MKUP,NETT,NSYN,PAIR,PLAC,PORT,REAL,REDM,REPU,RODE,RVPO,SECB,SECL,SUBS,"
    "SYND,TBAC,TRAD,TRPO,TRVO,TURN,BYIY,CNCB,OWNE,FCTA,OWNI,RELE,SBRE,CORP,CLAI,AUTO,SWIF,SWIT,"
    "CONV,ETFT,ISSU,SLRE,INSP,SBBK,REDI"
)
TRANSACTION_TYPES: Final = frozenset(_TRANSACTION_TYPES.split(","))

TABLE: Final = f"""
document: SctiesSttlmTxInstr:instruction
instruction: TxId:text(35) SttlmTpAndAddtlParams:kind NbCounts:counts? Lnkgs:link* TradDtls:trade
    FinInstrmId:instrument FinInstrmAttrbts:!? QtyAndAcctDtls:quantities SttlmParams:settlement
    StgSttlmInstrDtls:!? DlvrgSttlmPties:parties? RcvgSttlmPties:parties? CshPties:!?
    SttlmAmt:settlement_amount? OthrAmts:other_amounts? OthrBizPties:!? AddtlPhysOrRegnDtls:!?
    SplmtryData:supplement*

kind: SctiesMvmntTp:one(DELI,RECE) Pmt:one(FREE,APMT) CmonId:text(35)? CorpActnEvtId:text(35)?
    RcncltnInd:boolean? ClntCollInstrId:!? ClntCollTxId:!?@10 ClntTrptyCollTxId:!?@11
    TrptyAgtSvcPrvdrCollTxId:!? TrptyAgtSvcPrvdrCollInstrId:!?
counts | CurInstrNb:digits(3,3)@10 CurInstrNb:digits(1,6)@11 TtlNb:total
total: CurInstrNb:digits(3,3)@10 CurInstrNb:digits(1,6)@11
    TtlOfLkdInstrs:digits(3,3)@10 TtlOfLkdInstrs:digits(1,6)@11

link: PrcgPos:position? MsgNb:message_number? Ref:reference LkdQty:!? RefOwnr:owner?
position | Cd:one(AFTE,WITH,BEFO,INFO) Prtry:!
message_number | ShrtNb:digits(3,3) LngNb:message PrtryNb:identification
reference | SctiesSttlmTxId:text(35) IntraPosMvmntId:text(35) IntraBalMvmntId:text(35)
    AcctSvcrTxId:text(35) MktInfrstrctrTxId:text(35) PoolId:text(35) OthrTxId:text(35)
owner | AnyBIC:bic PrtryId:identification

trade: TradId:text(52)* CollTxId:!* PlcOfTrad:place_of_trade? PlcOfClr:place_of_clearing?
    TradDt:trade_date? SttlmDt:settlement_date LateDlvryDt:!? DealPric:price?
    NbOfDaysAcrd:decimal(3,0)? OpngClsg:code(CLOP,OPEP)? Rptg:code(STEX,REGU,DEFR)*
    TradTxCond:code(CBNS,XBNS,CCPN,XCPN,CDIV,XDIV,CRTS,XRTS,CWAR,XWAR,SPCU,SPEX,GTDL,BCRO,BCRP,
    BCFD,BCBL,BCBN,MAPR,NEGO,NMPR,BCPD)* InvstrCpcty:code(ELIG,RETL,PROF)?
    TradOrgtrRole:code(SINT,MLTF,RMKT,MKTM,INVE,TAGT)? TpOfPric:code(AVER)? CcyToBuyOrSell:!?
    MtchgSts:code(MACH,NMAT)? AffirmSts:code(AFFI,NAFI)? FxAddtlDtls:!?
    SttlmInstrPrcgAddtlDtls:text(350)?
place_of_trade: MktTpAndId:market? LEI:lei?
market: Id:market_id? Tp:code(PRIM,SECM,OTCO,VARI,EXCH)
market_id | MktIdrCd:mic Desc:text(35)
place_of_clearing: Id:bic? LEI:lei?
trade_date | Dt:date_or_instant DtCd:!
settlement_date | Dt:settlement_day DtCd:!
settlement_day | Dt:date DtTm:!
date_or_instant | Dt:date DtTm:instant
price: Tp:price_type Val:price_value
price_type | Yldd:boolean ValTp:one(DISC,PARV,PREM,NEGA)
price_value | Rate:decimal(11,10) Amt:old_amount(18,13)

instrument: ISIN:isin? OthrId:other_id* Desc:text(140)?
other_id: Id:text(35) Sfx:text(16)? Tp:other_id_type
other_id_type | Cd:text(4) Prtry:text(35)

quantities: SttlmQty:quantity_choice DnmtnChc:!? AcctOwnr:account_owner? SfkpgAcct:account@10
    SfkpgAcct:account?@11 BlckChainAdrOrWllt:wallet?@11 CshAcct:!? SfkpgPlc:place? QtyBrkdwn:!*
quantity_choice | Qty:quantity OrgnlAndCurFace:!
quantity | Unit:decimal(18,17) FaceAmt:quantity(18,5) AmtsdVal:quantity(18,5) DgtlTknUnit:!@11
account_owner: Id:owner LEI:lei?
account: Id:text(35) Tp:generic? Nm:text(70)?
wallet: Id:text(140) Tp:generic? Nm:text(70)?
place: SfkpgPlcFrmt:place_format? LEI:lei?
place_format | Id:place_text Ctry:country TpAndId:place_bic Prtry:place_own
place_text: SfkpgPlcTp:one(SHHE) Id:text(35)?
place_bic: SfkpgPlcTp:one(CUST,ICSD,NCSD,SHHE) Id:bic
place_own: Tp:generic Id:text(35)?

settlement: HldInd:hold? Prty:priority? SctiesTxTp:transaction_type SttlmTxCond:condition*
    PrtlSttlmInd:one(PART,NPAR,PARC,PARQ)? BnfclOwnrsh:flag? BlckTrad:!? CCPElgblty:own_flag?
    DlvryRtrRsn:!? CshClrSys:code(GROS,NETS)? XpsrTp:!? FxStgInstr:own_flag?
    MktClntSd:code(CLNT,MAKT)? NetgElgblty:flag? Regn:!? RpTp:!? LglRstrctns:!? SctiesRTGS:flag?
    SttlgCpcty:code(SAGE,CUST,SPRI,RISP)? SttlmSysMtd:method? TaxCpcty:code(PRIN,AGEN)?
    StmpDtyTaxBsis:!? Trckg:own_flag? AutomtcBrrwg:borrowing? LttrOfGrnt:own_flag? RtrLeg:boolean?
    ModCxlAllwd:own_flag? ElgblForColl:boolean? DlvrgSctiesSubBalTp:!? RcvgSctiesSubBalTp:!?
    CshSubBalTp:!?
hold: Ind:boolean Rsn:!*
priority | Nmrc:digits(4,4) Prtry:!
transaction_type | Cd:one({_TRANSACTION_TYPES}) Prtry:!
condition | Cd:one(NOMC) Prtry:!
own_flag | Ind:boolean Prtry:!
method | Cd:one(NSET,YSET) Prtry:!
borrowing | Cd:one(LAMI,NBOR,YBOR) Prtry:!

parties: Dpstry:depository? Pty1:party? Pty2:party? Pty3:party? Pty4:party? Pty5:party?
depository: Id:depository_id LEI:lei? AltrnId:alternate? PrcgDt:date_or_instant? PrcgId:text(35)?
    AddtlInf:party_text?
depository_id | AnyBIC:bic NmAndAdr:! Ctry:!
party: Id:party_id LEI:lei? AltrnId:alternate? SfkpgAcct:account? BlckChainAdrOrWllt:wallet?@11
    PrcgDt:date_or_instant? PrcgId:text(35)? AddtlInf:party_text?
party_id | AnyBIC:bic PrtryId:identification NmAndAdr:name_and_address
name_and_address: Nm:text(350) Adr:address?
address: AdrTp:one(ADDR,PBOX,HOME,BIZZ,MLTO,DLVY)? AdrLine:text(70)*5 StrtNm:text(70)?
    BldgNb:text(16)? PstCd:text(16)? TwnNm:text(35)? CtrySubDvsn:text(35)? Ctry:country
alternate: IdTp:code(ARNU,CCPT,CHTY,CORP,DRLC,FIIN,TXID) Ctry:country AltrnId:text(35)
party_text: DclrtnDtls:text(350)? PtyCtctDtls:text(140)? RegnDtls:text(350)?

settlement_amount: AcrdIntrstInd:boolean? StmpDtyInd:boolean? BrkrgAmtInd:boolean?
    RsrchFeeInd:boolean? Amt:amount(18,5) CdtDbtInd:one(CRDT,DBIT) OrgnlCcyAndOrdrdAmt:!? FXDtls:!?
    ValDt:!?
other_amounts: AcrdIntrstAmt:part? ChrgsFees:part? CtryNtlFdrlTax:part? TradAmt:part?
    ExctgBrkrAmt:part? IsseDscntAllwnc:part? PmtLevyTax:part? LclTax:part? LclTaxCtrySpcfc:part?
    LclBrkrComssn:part? Mrgn:part? Othr:part? RgltryAmt:part? ShppgAmt:part? SpclCncssn:part?
    StmpDty:part? StockXchgTax:part? TrfTax:part? TxTax:part? ValAddedTax:part? WhldgTax:part?
    NetGnLoss:part? CsmptnTax:part? AcrdCptlstnAmt:part? RsrchFee:part?
part: Amt:old_amount(18,5) CdtDbtInd:one(CRDT,DBIT)? OrgnlCcyAndOrdrdAmt:!? FXDtls:!?

supplement: PlcAndNm:text(350)? Envlp:any
generic: Id:four Issr:text(35) SchmeNm:text(35)?
identification: Id:text(35) Issr:text(35) SchmeNm:text(35)?
"""
