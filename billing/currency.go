package billing

// NoCurrency is the ISO 4217 code for transactions in which no currency is involved. A
// hold has it when no contract and no client says in what money it would be quoted.
const NoCurrency = "XXX"

// currencies holds the active codes of ISO 4217 list one with their minor units, grouped
// by the number of decimals. Source: ISO 4217:2015 list one, as its maintenance agency SIX
// Financial Information AG publishes it in 2026 (with XCG and ZWG, and Bulgaria in the euro). Precious metals, funds of account and test codes (XAU, XDR, XTS, …) have
// no minor unit and are no money of a contract, so they are left out.
var currencies = minorUnits(map[int32]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF " +
		"CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ " +
		"GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD " +
		"MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON " +
		"RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS " +
		"UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
})

func minorUnits(groups map[int32]string) map[string]int32 {
	units := make(map[string]int32, 180)
	for digits, codes := range groups {
		for len(codes) >= 3 {
			units[codes[:3]] = digits
			codes = codes[min(4, len(codes)):]
		}
	}
	return units
}

// MinorUnits gives the number of decimals of a currency's minor unit: 2 for USD, 0 for
// JPY, 3 for KWD; false for a code that is not in ISO 4217 list one.
func MinorUnits(currency string) (int32, bool) {
	digits, ok := currencies[currency]
	return digits, ok
}
